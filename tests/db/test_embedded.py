"""The server of a home folder: whatever is killed, the next call has a server with all that was committed."""

import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from korbert.db.binaries import as_account, installed, server_account
from korbert.db.cluster import Cluster, postmaster, running
from korbert.db.connection import connect, transaction
from korbert.db.embedded import _cluster, database
from korbert.errors import UsageError, WorldError

# The project and what it imports, for a Python that is not the virtual environment's.
LIBRARIES = f"{Path(__file__).parents[2]}:{Path(psycopg2.__file__).parents[1]}"
NOBODY = {"user": 65534, "group": 65534}

HOLD = """
import sys
from pathlib import Path
from korbert.db.embedded import database
from korbert.errors import WorldError
try:
    with database(Path(sys.argv[1])) as url:
        print(url, flush=True)
        sys.stdin.readline()
except WorldError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def tests_folder() -> Path:
    return Path(os.environ["KORBERT_PG_DATA"])


@pytest.fixture
def new_home(tests_folder, monkeypatch) -> Iterator[Path]:
    """A home without data, whose data will lie beside it."""
    folder = tests_folder / uuid.uuid4().hex[:8]
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("KORBERT_PG_DATA", str(folder / "base"))
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def module_folder(tests_folder) -> Path:
    return tests_folder / uuid.uuid4().hex[:8]


@pytest.fixture(params=installed(), ids=lambda binaries: f"postgres-{binaries.version}")
def home(request, module_folder, monkeypatch) -> Path:
    """A home whose data folder serves all tests of this file, one for each installed server."""
    binaries = request.param
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("KORBERT_PG_BIN", str(binaries.folder))
    monkeypatch.setenv("KORBERT_PG_DATA", str(module_folder / binaries.version))
    return module_folder / f"home-{binaries.version}"


@pytest.fixture
def made_home(module_folder, monkeypatch) -> Path:
    """The first of these homes."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    version = installed()[0].version
    monkeypatch.setenv("KORBERT_PG_DATA", str(module_folder / version))
    return module_folder / f"home-{version}"


def cluster_of(home: Path) -> Cluster:
    return _cluster(home.resolve())


def holder(home: Path, python: str = sys.executable, **arguments) -> subprocess.Popen[str]:
    """Another process that uses the home's database until it gets a line."""
    environment = {**os.environ, "PYTHONPATH": LIBRARIES}
    return subprocess.Popen(
        [python, "-c", HOLD, str(home)], text=True, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **arguments,
    )  # fmt: skip


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("postgresql://"), process.communicate()[1]
    return url


def ask(url: str, statement: str) -> list[tuple]:
    connection = connect(url)
    try:
        with transaction(connection) as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def python_of_all() -> str:
    """A Python that an account without rights can run: the one that runs us may lie under /root."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        command = [python, "-c", "import korbert.db.embedded"]
        try:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                env={"PYTHONPATH": LIBRARIES},
                cwd="/",
                extra_groups=[],
                **NOBODY,
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip("another user cannot reach a Python with our libraries")


def ended(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=60)


def test_a_killed_postmaster_loses_no_committed_row_and_keeps_no_open_one(home):
    cluster = cluster_of(home)
    with database(home) as url:
        ask(url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept (n int)")
        ask(url, "INSERT INTO kept SELECT generate_series(1, 1000)")
        open_work = connect(url)
        open_work.cursor().execute("INSERT INTO kept SELECT generate_series(1001, 2000)")
        os.kill(postmaster(cluster), signal.SIGKILL)
        with database(home) as again:
            assert again == url
            assert ask(again, "SELECT count(*), max(n) FROM kept") == [(1000, 1000)]
        with pytest.raises(psycopg2.OperationalError):
            open_work.commit()
    assert not running(cluster)


def test_the_server_of_a_killed_holder_is_reused_and_stopped_by_the_next(home):
    first = holder(home)
    url = url_of(first)
    killed(first)
    left = postmaster(cluster_of(home))
    assert left is not None
    with database(home) as again:
        assert again == url
        assert postmaster(cluster_of(home)) == left
    assert not running(cluster_of(home))


def test_a_server_stays_until_its_last_holder_has_left(home):
    one, two = holder(home), holder(home)
    url = url_of(one)
    assert url_of(two) == url
    ended(one)
    assert ask(url, "SELECT 1") == [(1,)]
    with database(home):
        pass
    assert ask(url, "SELECT 1") == [(1,)]
    ended(two)
    assert not running(cluster_of(home))


def test_a_killed_holder_does_not_stop_the_server_under_others(home):
    one, two = holder(home), holder(home)
    url = url_of(two)
    url_of(one)
    killed(one)
    assert ask(url, "SELECT 1") == [(1,)]
    ended(two)
    assert not running(cluster_of(home))


def test_an_error_in_the_work_still_stops_the_server(home):
    with pytest.raises(KeyError), database(home):
        raise KeyError
    assert not running(cluster_of(home))


def test_a_stale_pid_file_that_names_another_program_does_not_stop_a_start(home):
    cluster = cluster_of(home)
    with database(home):
        pid_file = (cluster.data / "postmaster.pid").read_text()
        socket_file = (cluster.run / ".s.PGSQL.5432.lock").read_text()
        own = str(postmaster(cluster))
    stranger = subprocess.Popen(["sleep", "600"], **as_account(server_account()))
    try:
        (cluster.data / "postmaster.pid").write_text(pid_file.replace(own, str(stranger.pid), 1))
        (cluster.run / ".s.PGSQL.5432.lock").write_text(socket_file.replace(own, str(stranger.pid), 1))
        with database(home) as url:
            assert ask(url, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_start_that_fails_quotes_the_server(home):
    cluster = cluster_of(home)
    with database(home):
        pass
    settings = cluster.data / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text("shared_bufers = 1\n")
    with (
        pytest.raises(WorldError, match=r"did not start: .*FATAL: .*auto\.conf.*server\.log") as caught,
        database(home),
    ):
        pass
    assert "\n" not in str(caught.value)
    settings.write_text(before)
    with database(home) as url:
        assert ask(url, "SELECT 1") == [(1,)]


def test_the_data_are_utf8_and_sorted_by_code_point_and_safe(home):
    with database(home) as url:
        for name, value in (
            ("server_encoding", "UTF8"), ("fsync", "on"), ("synchronous_commit", "on"), ("listen_addresses", ""),
            ("data_checksums", "on"), ("TimeZone", "UTC"),
        ):  # fmt: skip
            assert ask(url, f"SHOW {name}") == [(value,)]
        assert ask(url, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == [("C",)]


def test_two_processes_at_once_make_and_start_one_server(new_home):
    one, two = holder(new_home), holder(new_home)
    question = "SELECT pg_postmaster_start_time(), system_identifier FROM pg_control_system()"
    assert ask(url_of(one), question) == ask(url_of(two), question)
    ended(one)
    ended(two)


def test_a_kill_while_the_data_folder_is_made_leaves_nothing_half(new_home):
    cluster = cluster_of(new_home)
    first = holder(new_home, start_new_session=True)
    while not (cluster.place / "data.draft" / "base").exists():
        assert first.poll() is None
        time.sleep(0.002)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert not cluster.data.exists()
    with database(new_home) as url:
        assert ask(url, "SELECT 1") == [(1,)]
    assert not (cluster.place / "data.draft").exists()


def test_two_homes_have_two_servers_at_once(made_home):
    with database(made_home) as one, database(made_home.with_name("other")) as two:
        ask(one, "CREATE TABLE mine (n int)")
        assert ask(two, "SELECT to_regclass('mine')") == [(None,)]


def test_a_home_made_anew_does_not_find_the_rows_of_the_old_one(made_home):
    with database(made_home) as url:
        ask(url, "CREATE TABLE old (n int)")
    (made_home / "postgres.json").unlink()
    with database(made_home) as url:
        assert ask(url, "SELECT to_regclass('old')") == [(None,)]
    assert (cluster_of(made_home).place / "data.superseded" / "PG_VERSION").is_file()


def test_no_permission_outside_the_data_folder_changes(new_home, tests_folder):
    folders = [tests_folder, *tests_folder.parents, tempfile.gettempdir(), "/var/lib", Path.home(), sys.prefix]
    new_home.mkdir(parents=True, mode=0o700)
    folders.append(new_home)
    before = [(os.stat(folder).st_mode, os.stat(folder).st_uid, os.stat(folder).st_gid) for folder in folders]
    with database(new_home):
        pass
    assert [(os.stat(f).st_mode, os.stat(f).st_uid, os.stat(f).st_gid) for f in folders] == before


def test_only_the_account_can_reach_the_socket_and_the_data(made_home):
    with database(made_home):
        cluster = cluster_of(made_home)
        for folder in (cluster.data, cluster.run):
            assert folder.stat().st_mode & 0o077 == 0
        for file in (cluster.log, cluster.place / "lock", cluster.place / "alive"):
            assert file.stat().st_mode & 0o177 == 0o000


def test_a_path_too_long_for_a_socket_is_no_obstacle(new_home, monkeypatch):
    monkeypatch.setenv("KORBERT_PG_DATA", str(new_home.parent / ("long" * 25)))
    with database(new_home) as url:
        assert ask(url, "SELECT 1") == [(1,)]
        run = cluster_of(new_home).run
        assert run.parent == Path(tempfile.gettempdir())
        assert run.stat().st_mode & 0o077 == 0
    assert not run.exists()


def test_a_socket_folder_taken_by_another_is_refused(new_home, monkeypatch):
    monkeypatch.setenv("KORBERT_PG_DATA", str(new_home.parent / ("long" * 25)))
    run = cluster_of(new_home).run
    run.mkdir(mode=0o755)
    try:
        with pytest.raises(WorldError, match="must be a folder of user id .* with mode 0700"), database(new_home):
            pass
    finally:
        run.rmdir()


def test_a_home_that_cannot_be_made_is_a_fault_of_the_world(new_home, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WorldError, match="Not a directory; Postgres needs to write there"),
        database(tmp_path / "file/home"),
    ):
        pass


def test_a_disk_that_takes_no_more_leaves_no_data_folder(new_home):
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = holder(new_home, preexec_fn=little_room)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot make a data folder" in message
    assert message.count("\n") == 1
    assert not cluster_of(new_home).data.exists()
    assert not (cluster_of(new_home).place / "data.draft").exists()


def test_database_url_wins_and_nothing_is_made(new_home, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    with database(new_home) as url:
        assert url == "postgresql://elsewhere/db"
    assert not new_home.exists()


def test_a_wrong_folder_of_binaries_is_a_usage_error(new_home, monkeypatch, tmp_path):
    monkeypatch.setenv("KORBERT_PG_BIN", str(tmp_path))
    with pytest.raises(UsageError, match="KORBERT_PG_BIN = .*must be a folder with runnable"), database(new_home):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends an account")
def test_data_stay_with_the_account_that_made_them(new_home, monkeypatch):
    """Installing Debian's server creates the account postgres: data made as nobody before must still open."""
    find = pwd.getpwnam
    with monkeypatch.context() as before:
        before.setattr(pwd, "getpwnam", lambda name: find("nobody" if name == "postgres" else name))
        with database(new_home) as url:
            ask(url, "CREATE TABLE made_as_nobody (n int)")
    assert cluster_of(new_home).data.stat().st_uid == NOBODY["user"]
    with database(new_home) as url:
        assert ask(url, "SELECT count(*) FROM made_as_nobody") == [(0,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("binaries", installed(), ids=lambda binaries: f"postgres-{binaries.version}")
def test_a_normal_user_keeps_the_data_in_the_home(new_home, binaries, monkeypatch):
    python = python_of_all()
    new_home.mkdir(parents=True)
    os.chown(new_home, *NOBODY.values())
    monkeypatch.delenv("KORBERT_PG_DATA")
    monkeypatch.setenv("KORBERT_PG_BIN", str(binaries.folder))
    process = holder(new_home, python, **NOBODY, extra_groups=[], cwd="/")
    url = url_of(process)
    assert ask(url, "SELECT 1") == [(1,)]
    assert (new_home / "postgres" / "data").stat().st_uid == NOBODY["user"]
    ended(process)
    assert not (new_home / "postgres" / "data" / "postmaster.pid").exists()
