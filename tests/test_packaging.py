"""The distribution: the crawler runs without the training stack, make and CI call what the README says."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CRAWLERS_IMPORTS = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "tokenizers", "ray", "wandb", "kiwipiepy", "matplotlib"}:
            raise ImportError(f"{name} is not in the crawler's image")

sys.meta_path.insert(0, Blocked())
import crawler, korbert.db
for package in (crawler, korbert.db):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import korbert.__main__
print("imported")
"""


def test_the_crawler_and_the_database_import_without_the_training_stack() -> None:
    done = subprocess.run([sys.executable, "-c", CRAWLERS_IMPORTS], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "imported\n", done.stderr


def test_the_extras_are_there_and_all_holds_the_others() -> None:
    extras = PROJECT["optional-dependencies"]
    assert {"crawl", "train", "morphemes", "tune", "cluster", "all", "dev"} <= extras.keys()
    assert "korbert[crawl,train,morphemes,tune,cluster]" in extras["all"]
    for heavy in ("torch", "transformers", "ray"):
        assert not any(re.match(rf"{heavy}\b", text) for text in PROJECT["dependencies"] + extras["crawl"])


def test_every_constraint_is_one_exact_version() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9.]*", line) for line in lines)
    assert "torch==2.13.0" in lines


def test_make_alone_prints_its_targets() -> None:
    done = subprocess.run(["make", "--silent"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = ["demo", "test", "test-cluster", "lint", "bench", "chaos", "clean"]
    assert [line.split()[1] for line in done.stdout.splitlines()] == targets


@pytest.mark.parametrize("target", ["demo", "test", "lint", "bench"])
def test_targets_make_the_virtual_environment_when_it_is_missing(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "VENV=no-such-venv", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "-m venv no-such-venv" in done.stdout


@pytest.mark.parametrize(("tests", "lint", "code"), [(0, 0, 0), (2, 0, 2), (0, 3, 3), (2, 3, 2)])
def test_ci_runs_the_readmes_test_command_and_the_linters_and_fails_with_either(
    tmp_path: Path, tests: int, lint: int, code: int
) -> None:
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "make $1"\ncase $1 in test) exit {tests};; lint) exit {lint};; esac\n')
    make.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([ROOT / ".ci" / "run"], env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == code
    assert sorted(done.stdout.splitlines()) == ["make .venv/.installed", "make lint", "make test"]
    assert "$ make test" in (ROOT / "README.md").read_text()
