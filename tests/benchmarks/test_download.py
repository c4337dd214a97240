"""Original files come from a real server: verified, resumed, whole or not at all."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from korbert import tasks
from korbert.benchmarks import download
from korbert.errors import UsageError, WorldError
from korbert.tasks import Download, Task

CONTENT = bytes(range(256)) * 5_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; paths that begin with /cut break off in the middle, /whole knows no ranges."""

    asked: list[str | None]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.path == "/missing":
            self.send_error(404)
            return
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.path != "/whole" else 0
        if begin >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(CONTENT) // 2] if self.path == "/cut" else body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    serving = Server(("127.0.0.1", 0), Handler)
    serving.asked = []
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


def task(server: Server, path: str = "/file", **known: object) -> Task:
    known = known or {"sha256": SHA256, "size": len(CONTENT)}
    found = Download("file.tsv", f"http://127.0.0.1:{server.server_port}{path}", **known)  # type: ignore[arg-type]
    return replace(tasks.task("nsmc"), downloads=(found,))


@pytest.mark.parametrize("known", [{"sha256": SHA256}, {"git_blob": BLOB}], ids=["sha256", "git"])
def test_a_file_comes_whole_and_once(server: Server, tmp_path: Path, known: dict[str, str]) -> None:
    told: list[str] = []
    for _ in range(2):
        (path,) = download.get("x", task(server, **known), tmp_path / "new" / "folder", told.append)
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["file.tsv"]
    assert server.asked == [None]
    assert told[0].endswith("1,280,000 bytes, verified")
    assert told[1].endswith("is there")


def test_a_cut_connection_goes_on_where_it_was_cut(server: Server, tmp_path: Path) -> None:
    (path,) = download.get("x", task(server, "/cut"), tmp_path / "a")
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={len(CONTENT) // 2}-"]


def test_what_came_before_a_failure_is_kept_for_the_next_call(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.tsv.part").write_bytes(CONTENT[:777])
    (path,) = download.get("x", task(server), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == ["bytes=777-"]


def test_a_server_without_ranges_gives_the_file_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.tsv.part").write_bytes(b"other bytes")
    (path,) = download.get("x", task(server, "/whole"), tmp_path)
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_already_whole_is_verified_and_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.tsv.part").write_bytes(CONTENT)
    (path,) = download.get("x", task(server), tmp_path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "known", [{"sha256": "0" * 64}, {"git_blob": "0" * 40}, {"sha256": SHA256, "size": 5}], ids=range(3)
)
def test_other_content_is_refused_and_nothing_is_kept(server: Server, tmp_path: Path, known: dict[str, object]) -> None:
    with pytest.raises(WorldError, match="are not the original's"):
        download.get("x", task(server, **known), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_its_place_that_is_not_the_original_is_left_alone(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.tsv").write_bytes(b"mine")
    with pytest.raises(WorldError, match="is there and is not the original"):
        download.get("x", task(server), tmp_path)
    assert (tmp_path / "file.tsv").read_bytes() == b"mine"


def test_an_address_that_is_gone_is_named_with_the_servers_answer(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="/missing: answers 404"):
        download.get("x", task(server, "/missing"), tmp_path)


def test_without_network_the_address_and_the_reason_are_named(server: Server, tmp_path: Path) -> None:
    closed = task(server)
    address = closed.downloads[0].url.replace(str(server.server_port), "9")  # the discard service: nobody listens
    nowhere = replace(closed, downloads=(replace(closed.downloads[0], url=address),))
    with pytest.raises(WorldError, match="cannot be read .*run again to go on"):
        download.get("x", nowhere, tmp_path)


def test_a_task_without_addresses_says_where_to_get_its_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ner: has no file that can be downloaded; get it by hand: from its owner"):
        download.get("ner", tasks.task("ner"), tmp_path)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["nsmc", "korsts", "kornli", "klue-nli", "klue-sts", "klue-ner", "kmou-ner"])
def test_the_sums_are_those_of_the_original_files(shared_data: Path, name: str) -> None:
    folder = shared_data / "benchmarks" / name
    there = [found for found in tasks.task(name).downloads if (folder / found.name).is_file()]
    assert there
    for found in there:
        assert download.right(folder / found.name, found), found.name
        assert not download.right(folder / found.name, replace(found, sha256="0" * 64))
