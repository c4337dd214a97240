"""The server over real HTTP: answers, limits, errors, many at once, time-outs, and a stop that lets work finish."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from korbert.use import server
from korbert.use.answers import answered
from korbert.use.asking import Asker
from korbert.use.server import Limits, Service

from .conftest import Gate, Tuned

XSS = '<script>alert(1)</script><img src=x onerror="alert(2)">'
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service(tuned: Tuned) -> Iterator[Service]:
    """A server with a model of every head."""
    names = ("sentence", "pair", "korsts", "tags", "span")
    made = Service(("127.0.0.1", 0), {name: Asker(tuned.model(name)) for name in names}, Limits(60.0, 2.0))
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.stop()
    thread.join()


def ask(
    service: Service, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Any, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", service.server_address[1], timeout=60)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    raw, told = response.read(), dict(response.getheaders())
    connection.close()
    return response.status, json.loads(raw) if raw and "json" in told["Content-Type"] else raw.decode(), told


def predict(service: Service, fields: Any) -> tuple[int, Any]:
    return ask(service, "POST", "/predict", json.dumps(fields).encode(), JSON)[:2]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"model": "sentence", "text": "영화 최고"}, "label"),
        ({"model": "pair", "text": "최고", "text2": "감동"}, "label"),
        ({"model": "korsts", "text": "최고", "text2": "감동"}, "score"),
        ({"model": "tags", "text": "영화 최고"}, "entities"),
        ({"model": "span", "question": "정말 영화", "context": "배우 최고 결말"}, "answer"),
    ],
)
def test_every_head_answers_as_it_does_without_a_server(service: Service, fields: dict[str, str], name: str) -> None:
    status, found = predict(service, fields)
    assert (status, found["model"]) == (200, fields["model"])
    usable = service.askers[fields["model"]].usable
    [alone], _ = answered(usable, [usable.shape.row(fields)])
    assert found["answer"] == json.loads(json.dumps(alone))
    assert name in alone


def test_several_inputs_are_answered_in_their_order(service: Service) -> None:
    status, found = predict(service, {"inputs": [{"text": "최고"}, {"text": "최악"}]})
    assert (status, found["model"]) == (200, "sentence")
    assert [answer["label"] for answer in found["answers"]] == ["좋음", "나쁨"]


def test_many_at_once_get_their_own_answers(service: Service) -> None:
    texts = [f"영화 {'최고' if number % 3 else '최악'} {number}" for number in range(40)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda text: predict(service, {"text": text}), texts))
    assert [status for status, _ in found] == [200] * 40
    assert [body["answer"]["label"] for _, body in found] == ["좋음" if n % 3 else "나쁨" for n in range(40)]


def test_the_page_and_its_parts_are_ours_alone(service: Service) -> None:
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")):
        status, body, headers = ask(service, "GET", path)
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert not re.search(r"https?://|//[a-z]+\.|innerHTML|insertAdjacentHTML|document\.write|eval\(", body)
    assert ask(service, "GET", "/?x=" + "%3Cscript%3E")[0] == 200


def test_models_and_health_are_told(service: Service) -> None:
    assert ask(service, "GET", "/health")[:2] == (200, {"status": "ok", "models": 5})
    models = ask(service, "GET", "/models")[1]
    assert [(model["name"], model["paired"]) for model in models][:2] == [("sentence", False), ("pair", True)]
    assert models[0]["labels"] == ["나쁨", "좋음"]
    status, body, headers = ask(service, "HEAD", "/health")
    assert (status, body, headers["Content-Length"]) == (200, "", "29")


def test_what_looks_like_markup_stays_text_and_is_never_html(service: Service) -> None:
    for method, path, body in (("POST", "/predict", {"text": XSS}), ("POST", "/predict", {"model": XSS})):
        _, _, headers = ask(service, method, path, json.dumps(body).encode(), JSON)
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert XSS not in json.dumps(ask(service, "GET", "/" + XSS.replace(" ", "+"))[1])


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "said"),
    [
        ("GET", "/nowhere", None, {}, 404, "there is /"),
        ("GET", "/../pyproject.toml", None, {}, 404, "there is /"),
        ("GET", "/predict", None, {}, 405, "POST"),
        ("POST", "/health", b"{}", JSON, 405, "POST is for /predict"),
        ("POST", "/nowhere", b"{}", JSON, 404, "POST is for /predict"),
        ("PUT", "/predict", b"{}", JSON, 501, "Not Implemented"),
        ("POST", "/predict", b"{}", {}, 415, "application/json"),
        ("POST", "/predict", b"{}", {"Content-Type": "text/plain"}, 415, "application/json"),
        ("POST", "/predict", b"{", JSON, 400, "must be JSON"),
        ("POST", "/predict", b"\xff", JSON, 400, "must be JSON"),
        ("POST", "/predict", b"[" * 100_000, JSON, 400, "must be JSON"),
        ("POST", "/predict", b"[1]", JSON, 400, "must be an object"),
        ("POST", "/predict", b"{}", JSON, 400, "input 0: has no field text"),
        ("POST", "/predict", b'{"text": 1}', JSON, 400, "input 0: text must be a text"),
        ("POST", "/predict", b'{"text": "\\ud800"}', JSON, 400, "half a character"),
        ("POST", "/predict", b'{"model": "x", "text": "a"}', JSON, 404, "there is no such model; there is: sentence"),
        ("POST", "/predict", b'{"model": [], "text": "a"}', JSON, 404, "no such model"),
        ("POST", "/predict", b'{"inputs": []}', JSON, 400, "1 to 64"),
        ("POST", "/predict", b'{"inputs": [{"text": "a"}, 3]}', JSON, 400, "input 1: must be an object"),
        ("POST", "/predict", json.dumps({"inputs": [{"text": "a"}] * 65}).encode(), JSON, 400, "1 to 64"),
        ("POST", "/predict", json.dumps({"text": "a" * 20_001}).encode(), JSON, 413, "20,000 characters"),
        ("POST", "/predict", b"{}", JSON | {"Content-Length": "9999999"}, 413, "1,048,576 bytes"),
        ("POST", "/predict", b"{}", JSON | {"Content-Length": "-1"}, 411, "Content-Length"),
    ],
    ids=lambda value: None if isinstance(value, bytes | dict) else str(value)[:20],
)
def test_a_wrong_request_gets_its_status_and_a_reason(
    service: Service, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, said: str
) -> None:
    got, found, told = ask(service, method, path, body, headers)
    assert (got, said in found["error"]) == (status, True), found
    assert (status != 405) or told["Allow"] in ("GET", "POST")


def raw(service: Service, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", service.server_address[1]), timeout=60) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_who_sends_too_slowly_is_cut_off_and_others_are_not(service: Service) -> None:
    head = b"POST /predict HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(raw, service, head)
        assert predict(service, {"text": "최고"})[0] == 200
        assert b" 408 " in slow.result().split(b"\r\n")[0]
    assert raw(service, b"GET / HT") == b""


def test_garbage_is_refused_in_json(service: Service) -> None:
    answer = raw(service, b"NONSENSE <script>\r\n\r\n")
    assert b"<script>" not in answer
    assert b'{"error": "Bad Request"}' in answer


def test_late_and_busy_models_have_their_status(tuned: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(tuned.model("sentence"), waiting=1)
    made = Service(("127.0.0.1", 0), {"m": asker}, Limits(answer=0.2))
    gate = Gate(monkeypatch)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(status for status, _ in pool.map(lambda n: predict(made, {"text": "최고"}), range(4)))
    assert set(statuses) <= {503, 504}
    assert 504 in statuses
    gate.open.set()
    made.stop()
    thread.join()


def test_a_model_that_fails_answers_500_and_goes_on(
    tuned: Tuned, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asker = Asker(tuned.model("sentence"))
    made = Service(("127.0.0.1", 0), {"m": asker})
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    real = server.Asker.ask
    with monkeypatch.context() as patched:
        patched.setattr("korbert.use.asking.answered", lambda *_: 1 // 0)
        status, found = predict(made, {"text": "최고"})
        assert (status, found) == (500, {"error": "the model failed; see the server's log"})
    assert server.Asker.ask is real
    assert predict(made, {"text": "최고"})[0] == 200
    made.stop()
    thread.join()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_request_under_way_is_answered_before_the_server_stops(tuned: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(tuned.model("sentence"))
    made = Service(("127.0.0.1", 0), {"m": asker})
    gate = Gate(monkeypatch)
    serving = threading.Thread(target=made.serve_forever)
    serving.start()
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(predict, made, {"text": "최고"})
        assert gate.reached.wait(60)
        stopped = pool.submit(made.stop)
        made.stopping.wait(60)
        gate.open.set()
        assert asked.result()[1]["answer"]["label"] == "좋음"
        stopped.result()
    serving.join()
    with pytest.raises(ConnectionRefusedError):
        ask(made, "GET", "/health")


def test_sigterm_ends_the_command_with_0(tuned: Tuned) -> None:
    program = [sys.executable, "-m", "korbert", "serve", f"film={tuned.artefact('sentence')}", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.fullmatch(r"korbert: http://127\.0\.0\.1:(\d+)/ serves film\n", line)
    assert found is not None, line + process.stderr.read()
    connection = HTTPConnection("127.0.0.1", int(found[1]), timeout=60)
    connection.request("POST", "/predict", json.dumps({"text": "최고"}).encode(), JSON)
    assert json.loads(connection.getresponse().read())["answer"]["label"] == "좋음"
    connection.close()
    process.send_signal(signal.SIGTERM)
    assert "stopped" in process.stderr.read()
    assert process.wait(60) == 0
