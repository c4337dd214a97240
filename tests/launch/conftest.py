"""A server that speaks as much of the Kubernetes API as a scheduler of PyTorchJobs asks, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

JOBS = "pytorchjobs"


@dataclass
class Log:
    """A container's log: its lines so far, and the end of what is being followed."""

    lines: list[str] = field(default_factory=list)
    complete: bool = False
    streams_cut: int = 0
    opened: int = 0


class Api:
    """The state of a cluster, which the tests change as the operator and the kubelets would."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.namespaces = {"korbert"}
        self.jobs: dict[tuple[str, str], dict[str, Any]] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, Log] = {}
        self.has_operator, self.allowed = True, True
        self.requests: list[tuple[str, str]] = []

    def condition(self, name: str, kind: str, message: str = "") -> None:
        """What the operator adds to a job's status; the condition before it no longer holds."""
        status = self.jobs["korbert", name].setdefault("status", {"conditions": []})
        for earlier in status["conditions"]:
            earlier["status"] = str(earlier["type"] == "Created")
        status["conditions"].append({"type": kind, "status": "True", "message": message})

    def pod(self, job: str, index: int, phase: str, **status: Any) -> str:
        """A pod of a job; answers its name."""
        name = f"{job}-worker-{index}"
        labels = {"training.kubeflow.org/job-name": job, "training.kubeflow.org/replica-index": str(index)}
        self.pods[name] = {"metadata": {"name": name, "labels": labels}, "status": {"phase": phase, **status}}
        return name

    def say(self, pod: str, *lines: str) -> None:
        """Adds lines, each with its time, to a pod's log."""
        with self.changed:
            self.logs.setdefault(pod, Log()).lines += lines
            self.changed.notify_all()

    def cut(self, pod: str) -> None:
        """Ends the connections that follow a log, in the midst of the answer."""
        with self.changed:
            self.logs[pod].streams_cut += 1
            self.changed.notify_all()

    def complete(self, pod: str) -> None:
        """The container has ended."""
        with self.changed:
            self.logs[pod].complete = True
            self.changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: Api

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing on standard error."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def _answer(self, method: str) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.api.requests.append((method, self.path))
        parts, query = url.path.strip("/").split("/"), {k: v[0] for k, v in parse_qs(url.query).items()}
        if not self.api.allowed:
            self._refuse(403, "Forbidden", f'{JOBS}.kubeflow.org is forbidden: User "someone" cannot do this')
        elif parts[:3] == ["apis", "kubeflow.org", "v1"]:
            self._jobs(method, parts[3:], query, json.loads(body) if body else {})
        elif parts[-1] == "log":
            self._log(parts[-2], query)
        else:
            self._send(200, {"kind": "PodList", "items": self._selected(list(self.api.pods.values()), query)})

    def _jobs(self, method: str, parts: list[str], query: dict[str, str], body: dict[str, Any]) -> None:
        jobs = self.api.jobs
        if not self.api.has_operator:
            self._send_bytes(404, b"404 page not found\n", "text/plain")
        elif parts == [JOBS]:
            self._send(200, {"items": self._selected(list(jobs.values()), query)})
        elif parts[1] not in self.api.namespaces:
            self._refuse(404, "NotFound", f'namespaces "{parts[1]}" not found', "namespaces")
        elif method == "POST":
            self._create((parts[1], body["metadata"]["name"]), body)
        elif (key := (parts[1], parts[3])) not in jobs:
            self._refuse(404, "NotFound", f'{JOBS}.kubeflow.org "{parts[3]}" not found', JOBS)
        elif method == "GET":
            self._send(200, jobs[key])
        elif method == "DELETE":
            self._send(200, jobs.pop(key))
        else:
            worker = body["spec"]["pytorchReplicaSpecs"]["Worker"]
            jobs[key]["spec"]["pytorchReplicaSpecs"]["Worker"].update(worker)
            self._send(200, jobs[key])

    def _create(self, key: tuple[str, str], body: dict[str, Any]) -> None:
        if key in self.api.jobs:
            self._refuse(409, "AlreadyExists", f'{JOBS}.kubeflow.org "{key[1]}" already exists', JOBS)
        else:
            self.api.jobs[key] = body
            self._send(201, body)

    def _log(self, pod: str, query: dict[str, str]) -> None:
        if pod not in self.api.pods:
            self._refuse(404, "NotFound", f'pods "{pod}" not found', "pods")
        elif pod not in self.api.logs:
            self._refuse(400, "BadRequest", f'container "pytorch" in pod "{pod}" is waiting to start')
        else:
            assert query["timestamps"] == "True"
            self._stream(self.api.logs[pod], query.get("follow") == "True")

    def _stream(self, log: Log, follow: bool) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        log.opened += 1
        sent, cuts = 0, log.streams_cut
        while True:
            with self.api.changed:
                while follow and sent == len(log.lines) and not log.complete and log.streams_cut == cuts:
                    self.api.changed.wait()
                new = log.lines[sent:]
            for line in new:
                # In two pieces: a line need not come whole.
                for piece in (line[:7].encode(), line[7:].encode() + b"\n"):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            sent += len(new)
            if log.streams_cut != cuts:
                self.close_connection = True
                return
            if not follow or (log.complete and sent == len(log.lines)):
                self.wfile.write(b"0\r\n\r\n")
                return

    def _selected(self, items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        key, _, value = query.get("labelSelector", "=").partition("=")
        return [item for item in items if item["metadata"]["labels"].get(key) == value]

    def _refuse(self, code: int, reason: str, message: str, kind: str = "") -> None:
        status = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
        self._send(code, {**status, "details": {"kind": kind}})

    def _send(self, code: int, value: dict[str, Any]) -> None:
        self._send_bytes(code, json.dumps(value).encode(), "application/json")

    def _send_bytes(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def kubeconfig(path: Path, server: str) -> Path:
    """A kubeconfig with the context `here`."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A running server, which the kubeconfig of this process names."""
    state = Api()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": state}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    file = kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{server.server_port}")
    _use(monkeypatch, file, tmp_path)
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without kubeconfig."""
    _use(monkeypatch, tmp_path / "none", tmp_path)


@pytest.fixture
def deaf_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubeconfig whose server is gone: port 9 (discard) listens nowhere today."""
    _use(monkeypatch, kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9"), tmp_path)


def _use(monkeypatch: pytest.MonkeyPatch, file: Path, folder: Path) -> None:
    from kubernetes.config import kube_config

    # The client reads the variable once, when it is imported.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.chdir(folder)
