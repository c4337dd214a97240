"""Models over HTTP: a page to try them in a browser, and the same as JSON. Standard library only; nothing is fetched.

    GET  /             the page, with /page.js and /page.css
    GET  /health       {"status": "ok", "models": n}; 503 while stopping
    GET  /models       [{"name", "head", "labels", "task", "paired"}]
    POST /predict      {"model"?, "text", "text2"?} or {"model"?, "question", "context"}: {"model", "answer"};
                       {"model"?, "inputs": [...]}: {"model", "answers": [...]}
An error is {"error": why}. One request a connection. Only JSON is taken, which no form of another site can send.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from korbert.use.asking import Asker
from korbert.use.requests import Refused, described, predicted

BODY_BYTES = 1 << 20
CONNECTIONS = 128
"""Threads at most; who comes then is told to come again."""
PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds."""

    answer: float = 30.0
    """From a request's arrival in line to its answer."""
    socket: float = 10.0
    """For the next bytes of a request: who sends slower is cut off."""


class Service(ThreadingHTTPServer):
    """The models' server; `serve_forever` until `stop`."""

    daemon_threads = False  # server_close waits for requests under way
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], askers: Mapping[str, Asker], limits: Limits | None = None) -> None:
        """Binds `address`; `askers` are the models by name, the first one is asked where none is named."""
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.askers, self.limits, self.stopping = dict(askers), limits or Limits(), threading.Event()
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(address, Handler)

    def stop(self) -> None:
        """Takes no more requests, answers those under way, and ends the models' threads. From any other thread."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for asker in self.askers.values():
            asker.stop()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread a connection, as long as there are not too many."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The thread of a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; anything else is ours and keeps its stack trace."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Service
    server_version = "korbert"
    sys_version = ""

    def setup(self) -> None:
        """Sets how long the next bytes may take."""
        super().setup()
        self.connection.settimeout(self.server.limits.socket)

    def do_GET(self) -> None:
        """The page, the models, and whether all is well."""
        path = self.path.partition("?")[0]
        if path in PAGE:
            name, kind = PAGE[path]
            self._send(HTTPStatus.OK, files("korbert.use.page").joinpath(name).read_bytes(), kind)
        elif path == "/health":
            stopping = self.server.stopping.is_set()
            status = HTTPStatus.SERVICE_UNAVAILABLE if stopping else HTTPStatus.OK
            self._json(status, {"status": "stopping" if stopping else "ok", "models": len(self.server.askers)})
        elif path == "/models":
            self._json(HTTPStatus.OK, [described(name, asker) for name, asker in self.server.askers.items()])
        elif path == "/predict":
            self._refuse(Refused(HTTPStatus.METHOD_NOT_ALLOWED, "ask by POST", Allow="POST"))
        else:
            self._refuse(Refused(HTTPStatus.NOT_FOUND, "there is /, /health, /models and /predict"))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """An answer of a model."""
        try:
            if self.path.partition("?")[0] != "/predict":
                known = self.path.partition("?")[0] in (*PAGE, "/health", "/models")
                status = HTTPStatus.METHOD_NOT_ALLOWED if known else HTTPStatus.NOT_FOUND
                raise Refused(status, "POST is for /predict", **({"Allow": "GET"} if known else {}))
            self._json(HTTPStatus.OK, predicted(self.server.askers, self._body(), self.server.limits.answer))
        except Refused as error:
            self._refuse(error)
        except Exception:
            self._refuse(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the model failed; see the server's log"))
            raise

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library finds wrong with a request, as JSON and without the request's own text."""
        self._json(HTTPStatus(code), {"error": HTTPStatus(code).phrase})

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing: texts that people try are nobody's business, and a line a request is noise."""

    def _body(self) -> dict[str, Any]:
        """The request's object.

        Raises:
            Refused: when it is none.
        """
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Content-Length must say how many bytes follow")
        if len(length) > 12 or int(length) > BODY_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {BODY_BYTES:,} bytes")
        try:
            raw = self._received(int(length))
        except TimeoutError as error:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time") from error
        try:
            found = json.loads(raw.decode())
        except (ValueError, RecursionError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "the body must be JSON in UTF-8") from error
        if not isinstance(found, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "the body must be an object")
        return found

    def _received(self, length: int) -> bytes:
        """The body, all of it within the limit of time, however small the pieces.

        Raises:
            TimeoutError: when it did not come.
        """
        deadline, raw = time.monotonic() + self.server.limits.socket, b""
        while len(raw) < length and (piece := self.rfile.read1(length - len(raw))):
            raw += piece
            if time.monotonic() > deadline:
                raise TimeoutError
        return raw

    def _refuse(self, error: Refused) -> None:
        self._json(error.status, {"error": str(error)}, error.headers)

    def _json(self, status: HTTPStatus, value: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(value, ensure_ascii=False).encode(), "application/json", headers)

    def _send(self, status: HTTPStatus, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        sized = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body)), "Connection": "close"}
        for name, value in (HEADERS | sized | dict(headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
