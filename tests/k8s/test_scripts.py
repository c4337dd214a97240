"""The scripts that pods run, run: against an HTTP server that answers as the API server does, and a real Postgres."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from korbert.db.binaries import installed

from .tree import K8S

CREDENTIALS = K8S / "base" / "credentials" / "make_credentials.py"
TRAINING = K8S / "base" / "pretrain" / "await_training.py"
INITIALISE = K8S / "base" / "postgres" / "initialise.sh"
BACKUP = K8S / "base" / "postgres" / "backup.sh"


class _Api:
    """Secrets that may be created once, and a PyTorchJob whose answers follow one another."""

    def __init__(self, *jobs: Any) -> None:
        self.jobs, self.secrets, self.refuse = list(jobs), dict[str, Any](), 0

    def answer(self, method: str, path: str, token: str | None, body: bytes) -> tuple[int, Any]:
        if token != "Bearer the-token" or self.refuse:
            return self.refuse or 401, {}
        if method == "POST" and path == "/api/v1/namespaces/korbert/secrets":
            name = json.loads(body)["metadata"]["name"]
            if name in self.secrets:
                return 409, {}
            self.secrets[name] = json.loads(body)
            return 201, {}
        if method == "GET" and path == "/apis/kubeflow.org/v1/namespaces/korbert/pytorchjobs/korbert-pretrain":
            found = self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0]
            return (404, {}) if found is None else (200, found)
        return 404, {}


@contextmanager
def _serving(api: _Api) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = api.answer(self.command, self.path, self.headers.get("Authorization"), body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _handle

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """The files of a pod's service account."""
    (tmp_path / "namespace").write_text("korbert")
    (tmp_path / "token").write_text("the-token\n")
    return tmp_path


def _run(script: Path, server: str, account: Path) -> subprocess.CompletedProcess[str]:
    own = {"KORBERT_API_SERVER": server, "KORBERT_SERVICE_ACCOUNT": str(account), "KORBERT_POLL_SECONDS": "0.1"}
    return subprocess.run([sys.executable, str(script)], env={**os.environ, **own}, capture_output=True, text=True)


def _job(condition: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Created", "status": "True"}, {"type": condition, "status": "True"}]}}


def test_credentials_are_made_once_and_then_stay(account: Path) -> None:
    api = _Api()
    with _serving(api) as server:
        first = _run(CREDENTIALS, server, account)
        made = dict(api.secrets)
        second = _run(CREDENTIALS, server, account)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert api.secrets == made
    values = made["korbert-postgres"]["stringData"]
    assert len(values["POSTGRES_PASSWORD"]) == 64
    assert values["DATABASE_URL"] == f"postgresql://korbert:{values['POSTGRES_PASSWORD']}@korbert-postgres:5432/korbert"
    assert values["POSTGRES_PASSWORD"] not in first.stdout + first.stderr


def test_refused_credentials_are_one_line_that_names_the_role(account: Path) -> None:
    api = _Api()
    api.refuse = 403
    with _serving(api) as server:
        done = _run(CREDENTIALS, server, account)
    assert done.returncode == 1
    assert done.stderr == "credentials: the API server answered 403; see Role korbert-credentials\n"


@pytest.mark.parametrize("script", [CREDENTIALS, TRAINING], ids=["credentials", "training"])
def test_a_pod_without_rights_ends_with_a_failure(account: Path, script: Path) -> None:
    (account / "token").write_text("another")
    with _serving(_Api(_job("Running"))) as server:
        done = _run(script, server, account)
    assert done.returncode == 1
    assert "answered 401" in done.stderr


def test_an_unreachable_api_server_is_one_line(account: Path) -> None:
    done = _run(CREDENTIALS, "http://127.0.0.1:9", account)
    assert done.returncode == 1
    assert done.stderr.startswith("credentials: http://127.0.0.1:9 cannot be reached")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("end", "code"), [("Succeeded", 0), ("Failed", 1)])
def test_the_wait_for_training_ends_with_the_job(account: Path, end: str, code: int) -> None:
    api = _Api(None, _job("Created"), _job("Running"), _job(end))
    with _serving(api) as server:
        done = _run(TRAINING, server, account)
    assert done.returncode == code
    assert api.jobs == [_job(end)]


def _backup(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    own = {"DATABASE_URL": url, "BACKUP_FOLDER": str(folder), "BACKUP_DAYS": "14"}
    path = f"{installed()[0].folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(["sh", str(BACKUP)], env={**os.environ, **own, "PATH": path}, capture_output=True, text=True)


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database of this test's own with nothing in it."""
    name = f"empty_{uuid.uuid4().hex}"
    _rows(server_url, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
    yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    _rows(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def _rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_backup_restores_into_an_empty_database_and_removes_old_ones(
    database_url: str, empty_url: str, tmp_path: Path
) -> None:
    _rows(database_url, "CREATE TABLE kept AS SELECT n, repeat('한국어', n) AS text FROM generate_series(1, 50) n")
    old, foreign = tmp_path / "korbert-20200101T000000Z.dump", tmp_path / "other.dump"
    for file in (old, foreign):
        file.write_text("x")
        os.utime(file, (0, 0))
    done = _backup(database_url, tmp_path)
    assert done.returncode == 0, done.stderr
    (dump,) = set(tmp_path.iterdir()) - {foreign}
    restore = [str(installed()[0].folder / "pg_restore"), "--exit-on-error", "--no-owner", "-d", empty_url, str(dump)]
    restored = subprocess.run(restore, capture_output=True, text=True)
    assert restored.returncode == 0, restored.stderr
    tables = "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    for question in ("SELECT n, text FROM kept ORDER BY n", "SELECT * FROM schema_migration ORDER BY 1", tables):
        assert (rows := _rows(empty_url, question)) == _rows(database_url, question)
        assert rows


def test_a_failed_backup_keeps_the_old_ones_and_leaves_no_part(tmp_path: Path) -> None:
    old = tmp_path / "korbert-20200101T000000Z.dump"
    old.write_text("x")
    os.utime(old, (0, 0))
    done = _backup("postgresql://korbert@127.0.0.1:9/korbert", tmp_path)
    assert done.returncode != 0
    assert list(tmp_path.iterdir()) == [old]


# In the place of the image's own, which makes a database and a server's user in several steps.
STEPS = """#!/bin/sh
mkdir -p "$PGDATA" && echo 18 > "$PGDATA/PG_VERSION"
[ -z "$INTERRUPTED" ] || kill -9 $PPID
touch "$PGDATA/database"
"""


def _initialise(folder: Path, data: Path, *, interrupted: bool = False) -> subprocess.CompletedProcess[str]:
    script = folder / "docker-ensure-initdb.sh"
    script.write_text(STEPS)
    script.chmod(0o755)
    own = {"PGDATA": str(data), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    environment = {**os.environ, **own, "INTERRUPTED": "yes" if interrupted else ""}
    return subprocess.run(["sh", str(INITIALISE)], env=environment, capture_output=True, text=True)


def test_a_database_whose_making_was_killed_is_made_anew_and_a_whole_one_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "18" / "docker"
    assert _initialise(tmp_path, data, interrupted=True).returncode == -signal.SIGKILL
    assert not data.exists()
    done = _initialise(tmp_path, data)
    assert (done.returncode, done.stdout) == (0, f"initialise: {data} is made\n"), done.stderr
    assert {path.name for path in data.iterdir()} == {"PG_VERSION", "database"}
    assert [path.name for path in data.parent.iterdir()] == ["docker"]
    (data / "database").write_text("kept")
    done = _initialise(tmp_path, data, interrupted=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert (data / "database").read_text() == "kept"


def test_the_data_of_another_major_version_is_not_passed_over(tmp_path: Path) -> None:
    old = tmp_path / "17" / "docker"
    old.mkdir(parents=True)
    (old / "PG_VERSION").write_text("17")
    done = _initialise(tmp_path, tmp_path / "18" / "docker")
    assert done.returncode == 1
    assert (
        done.stderr == f"initialise: {old}/PG_VERSION is of another major version; run pg_upgrade, then start again\n"
    )
    assert not (tmp_path / "18").exists()
