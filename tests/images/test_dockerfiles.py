"""The Dockerfiles: hadolint finds nothing, and our own rules hold."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "images").glob("*/Dockerfile"))
OURS = [file for file in FILES if file.parent.name != "rootfs"]
HADOLINT = Path(sys.executable).with_name("hadolint")


def _name(file: Path) -> str:
    return file.parent.name


def test_there_is_an_image_for_each_name_that_manifests_use() -> None:
    assert {f"korbert-{_name(file)}" for file in OURS} == {
        "korbert-crawler", "korbert-train-gpu", "korbert-train-tpu", "korbert-tune",
    }  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_hadolint_finds_nothing(file: Path) -> None:
    if not HADOLINT.is_file():
        pytest.skip("hadolint is not installed; install the extra dev")
    done = subprocess.run([HADOLINT, "--no-color", str(file)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_the_last_user_is_the_manifests_user_by_number(file: Path) -> None:
    # Kubernetes cannot tell that a named user is not root.
    assert re.findall(r"^USER (.+)$", file.read_text(), re.MULTILINE)[-1] == "10001:10001"


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_base_is_latest_or_untagged(file: Path) -> None:
    text = file.read_text()
    for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        name = re.fullmatch(r"\$\{(\w+)\}", base)
        value = re.search(rf"^ARG {name[1]}=(\S+)$", text, re.MULTILINE)[1] if name else base  # type: ignore[index]
        assert value == "scratch" or re.search(r":(?!latest$)[\w.-]+(@sha256:[0-9a-f]{64})?$", value)


@pytest.mark.parametrize("file", OURS, ids=_name)
def test_every_image_says_what_it_is(file: Path) -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', file.read_text()))
    assert labels["title"] == f"korbert-{_name(file)}"
    assert {"description", "licenses", "version", "revision"} <= labels.keys()


@pytest.mark.parametrize("file", OURS, ids=_name)
def test_the_default_version_is_the_packages(file: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"ARG VERSION={version}\n" in file.read_text()


def test_the_crawlers_image_installs_no_training_stack() -> None:
    assert re.findall(r"'\.\[(.+)\]'", (ROOT / "images/crawler/Dockerfile").read_text()) == ["crawl"]


@pytest.mark.parametrize("file", OURS, ids=_name)
def test_what_an_image_is_made_from_is_named_by_digest_or_is_ours(file: Path) -> None:
    (base,) = re.findall(r"^ARG (?:PYTHON|TRAIN)_IMAGE=(.+)$", file.read_text(), re.MULTILINE)
    assert re.fullmatch(r"python:[\w.-]+@sha256:[0-9a-f]{64}|korbert-train-gpu:[\d.]+", base)


@pytest.mark.parametrize("file", OURS, ids=_name)
def test_every_extra_that_is_installed_exists(file: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"'(?:\.|korbert)\[([\w,]+)\]'", file.read_text())
    assert named
    assert set(named[0].split(",")) <= extras.keys()


@pytest.mark.parametrize("file", OURS, ids=_name)
def test_what_is_copied_from_the_context_exists_and_is_let_in(file: Path) -> None:
    let_in = {line.lstrip("!").removesuffix("/**") for line in _ignore_lines() if line.startswith("!")}
    for words in re.findall(r"^COPY (?!--)(.+)$", file.read_text(), re.MULTILINE):
        for source in words.split()[:-1]:
            assert (ROOT / source).exists()
            assert source in let_in


def test_the_context_shuts_everything_out_before_it_lets_anything_in() -> None:
    assert _ignore_lines()[0] == "*"


def _ignore_lines() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_image_has_a_readme(file: Path) -> None:
    assert file.with_name("README.md").read_text().startswith("# ")
