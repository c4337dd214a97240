"""`korbert wait` as pods run it: a real process, a real workspace, a real database."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from korbert import chain, recipes
from korbert.chain import Workspace
from korbert.cluster.gates import Gate, Patience, gates, wait
from korbert.db.migrate import migrations
from korbert.errors import UsageError, WorldError
from korbert.storage import publishing

QUICK = Patience(timeout=60.0, poll=0.05)


def _publish_crawl(root: Path) -> None:
    workspace, config = Workspace(root), recipes.recipe("demo")
    workspace.save(config)
    with publishing(chain.plan(config, workspace, "crawl")) as draft:
        (draft.path / "summary.json").write_text("{}")


def _wait_command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "korbert", "wait", *words],
        capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip


@contextmanager
def _silent_server() -> Iterator[tuple[str, socket.socket]]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(120)
        yield f"postgresql://u:p@127.0.0.1:{server.getsockname()[1]}/d", server


def test_a_published_and_fresh_artefact_opens_the_gate(tmp_path: Path) -> None:
    _publish_crawl(tmp_path / "run")
    done = _wait_command("crawl", "--workspace", str(tmp_path / "run"))
    assert (done.returncode, done.stdout) == (0, "korbert wait: crawl: ready\n")


def test_the_deadline_gives_exit_code_75_and_says_what_was_waited_for(tmp_path: Path) -> None:
    done = _wait_command("crawl", "--workspace", str(tmp_path / "absent"), "--timeout", "0.2s", "--poll", "0.1s")
    assert done.returncode == 75
    assert f"gave up after 0.2s: crawl: {tmp_path / 'absent'} is not there yet" in done.stderr.splitlines()[-1]


def test_a_workspace_is_there_once_it_has_a_config(tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    done = _wait_command("workspace", "--workspace", str(root), "--timeout", "0.2s", "--poll", "0.1s")
    assert (done.returncode, f"workspace: {root} has no config.json yet" in done.stderr) == (75, True)
    Workspace(root).save(recipes.recipe("demo"))
    assert _wait_command("workspace", "--workspace", str(root)).returncode == 0


@pytest.mark.parametrize("gate", ["workspace", "crawl"])
def test_a_volume_that_may_not_be_read_keeps_the_gate_closed_and_says_so(tmp_path: Path, gate: str) -> None:
    root = tmp_path / ("x" * 300)  # refused to root too, whom missing rights do not stop
    (late,) = wait(gates([gate], Workspace(root), ""), Patience(0.0, 0.1), lambda _: None)
    assert late.startswith(f"{gate}: {root} cannot be read (File name too long)")


def test_a_volume_that_is_mounted_later_is_waited_for(tmp_path: Path) -> None:
    root = tmp_path / "later" / "run"
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        threading.Thread(target=_publish_crawl, args=(root,)).start()

    assert wait(gates(["crawl"], Workspace(root), ""), QUICK, tell) == []
    assert len(lines) == 1
    assert "is not there yet" in lines[0]


def test_a_stale_artefact_keeps_the_gate_closed(tmp_path: Path) -> None:
    _publish_crawl(tmp_path)
    (tmp_path / "crawl" / "summary.json").unlink()
    (late,) = wait(gates(["crawl"], Workspace(tmp_path), ""), Patience(0.0, 0.1), lambda _: None)
    assert late == "crawl: stale (summary.json is missing)"


def test_a_stage_that_has_not_run_keeps_the_gate_closed(tmp_path: Path) -> None:
    _publish_crawl(tmp_path)
    assert wait(gates(["corpus"], Workspace(tmp_path), ""), Patience(0.0, 0.1), lambda _: None) == ["corpus: absent"]


def test_sigterm_ends_the_wait_even_while_a_server_swallows_our_packets(tmp_path: Path) -> None:
    with _silent_server() as (url, server):
        command = [sys.executable, "-m", "korbert", "wait", "crawl", "postgres", "--workspace", str(tmp_path / "no")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "DATABASE_URL": url})
        # From its call on, the look at the database hangs; the signal must not wait for it.
        called, _ = server.accept()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 143
        called.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_a_look_that_hangs_does_not_hold_up_the_deadline() -> None:
    hangs = threading.Event()
    (late,) = wait([Gate("volume", lambda: str(hangs.wait()))], Patience(0.2, 0.1, look=0.1), lambda _: None)
    assert "no answer" in late
    hangs.set()


def test_a_database_that_comes_up_with_its_schema_opens_both_gates(database_url: str) -> None:
    assert wait(gates(["postgres", "migrated"], Workspace(Path("none")), database_url), QUICK, print) == []


def test_a_database_that_is_not_up_yet_is_waited_for_without_its_password_being_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"postgresql://u:geheim@127.0.0.1:{port}/d"
    (late,) = wait(gates(["postgres"], Workspace(tmp_path), url), Patience(0.0, 0.1), print)
    assert "refused" in late
    assert "geheim" not in late


def test_a_schema_half_way_is_waited_for_and_a_newer_one_is_an_error(database_url: str) -> None:
    known = len(migrations())
    gate = gates(["migrated"], Workspace(Path("none")), database_url)
    _execute(database_url, "DELETE FROM schema_migration WHERE number = %s", known)
    assert wait(gate, Patience(0.0, 0.1), print) == [f"migrated: the schema is at migration {known - 1} of {known}"]
    _execute(database_url, "INSERT INTO schema_migration (number, name, sha256) VALUES (%s, 'x', 'x')", known + 1)
    with pytest.raises(WorldError, match="use a newer image"):
        wait(gate, QUICK, print)


def _execute(url: str, statement: str, *values: Any) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_the_reason_is_told_once_a_period_not_at_every_look() -> None:
    lines: list[str] = []
    wait([Gate("x", lambda: "closed")], Patience(1.0, 0.05, tell_every=60.0), lines.append)
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["korpus"], "ARTEFACT korpus: there is no such gate; there are: crawl, corpus"),
        (["postgres"], "DATABASE_URL is not set"),
        (["crawl", "--timeout", "6"], "--timeout 6: is no time; write a number and a unit"),
        (["crawl", "--workspace", "gs://b/run"], "mount the storage"),
    ],
)
def test_wrong_words_are_one_line_and_exit_code_2(words: list[str], said: str) -> None:
    done = _wait_command(*words, DATABASE_URL="")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_malformed_url_is_an_error_at_once() -> None:
    with pytest.raises(UsageError, match="is no Postgres URL"):
        wait(gates(["postgres"], Workspace(Path("none")), "mysql://h/d"), QUICK, print)
