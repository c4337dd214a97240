"""A local HTTP server that speaks what `korbert cluster` asks of the Kubernetes API, and a cluster to serve."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

TOKEN = "token-of-the-test"
NAMED = "/api/v1/namespaces/korbert"
KEYS = f"{NAMED}/secrets/korbert-keys"


@dataclass
class Cluster:
    """What the server answers: objects and lists by path, paths that are forbidden, rights that are withheld."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)
    """`verb resource`."""
    reviewed: list[dict[str, Any]] = field(default_factory=list)

    def put(self, path: str, *items: dict[str, Any]) -> None:
        """Makes `path` a list of these items."""
        self.objects[path] = {"kind": "List", "items": list(items)}


class _Handler(BaseHTTPRequestHandler):
    cluster: Cluster
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, _status(401, "Unauthorized"))
        elif path in self.cluster.forbidden:
            self._answer(403, _status(403, "Forbidden"))
        elif path not in self.cluster.objects:
            self._answer(404, _status(404, "NotFound"))
        else:
            self._answer(200, self.cluster.objects[path])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        attributes = body["spec"]["resourceAttributes"]
        self.cluster.reviewed.append(attributes)
        allowed = f"{attributes['verb']} {attributes['resource']}" not in self.cluster.withheld
        self._answer(201, {**body, "status": {"allowed": allowed}})

    def _answer(self, code: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keeps the tests' output clean."""


def _status(code: int, reason: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}


@contextmanager
def serving(cluster: Cluster) -> Iterator[str]:
    """The URL of a server for `cluster`."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(folder: Path, url: str, token: str = TOKEN) -> Path:
    """A kubeconfig with one context, `test`."""
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(value))
    return path


def complete() -> Cluster:
    """A cluster that has all that overlay gpu wants."""
    cluster = Cluster()
    cluster.objects["/version"] = {"major": "1", "minor": "36+", "gitVersion": "v1.36.2"}
    cluster.objects["/apis/kubeflow.org/v1"] = {"resources": [{"name": "pytorchjobs"}, {"name": "pytorchjobs/status"}]}
    cluster.objects["/apis/ray.io/v1"] = {"resources": [{"name": "rayjobs"}, {"name": "rayclusters"}]}
    cluster.put(
        "/apis/apps/v1/deployments",
        deployment("registry.example:5000/kubeflow/training-operator:v1.9.4"),
        deployment("quay.example/kuberay/operator:v1.7.0@sha256:" + "0" * 64),
    )
    cluster.put("/apis/storage.k8s.io/v1/storageclasses", storage_class("shared", "nfs.csi.k8s.io", default=True))
    cluster.put("/api/v1/nodes", *[node("nvidia.com/gpu", 2) for _ in range(2)])
    cluster.objects[KEYS] = {"data": {"DATA_GO_KR_SERVICE_KEY": "eA=="}}
    return cluster


def deployment(image: str, *, ready: int = 1) -> dict[str, Any]:
    """A Deployment with one container."""
    pod = {"containers": [{"name": "manager", "image": image}]}
    return {"spec": {"template": {"spec": pod}}, "status": {"readyReplicas": ready} if ready else {}}


def storage_class(name: str, provisioner: str, *, default: bool = False) -> dict[str, Any]:
    """A StorageClass."""
    annotations = {"storageclass.kubernetes.io/is-default-class": str(default).lower()}
    return {"metadata": {"name": name, "annotations": annotations}, "provisioner": provisioner}


def node(resource: str, count: int, *, unschedulable: bool = False) -> dict[str, Any]:
    """A Node with `count` of an extended resource."""
    return {"spec": {"unschedulable": unschedulable}, "status": {"allocatable": {"cpu": "8", resource: str(count)}}}
