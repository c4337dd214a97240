"""`korbert serve`: models in the browser, and as a JSON API."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from korbert.console import command
from korbert.console.predict import add_model_options, gather
from korbert.errors import UsageError, WorldError

if TYPE_CHECKING:
    from korbert.use.asking import Asker
    from korbert.use.server import Service


def add(commands: Any) -> None:
    """Registers the command."""
    parser = command(commands, "serve", _serve, "A page to try models in the browser, and a JSON API (docs/use.md).")
    what = "a finetune artefact, its model folder, or a run; NAME=MODEL names it"
    parser.add_argument("models", metavar="MODEL", nargs="+", help=what)
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine alone")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: any that is free")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="of an answer; default: 30")
    add_model_options(parser)
    gather(parser, "models")


def _serve(options: argparse.Namespace) -> int:
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port}: must be 0 to 65535")
    if not options.timeout > 0:
        raise UsageError(f"--timeout {options.timeout}: must be more than 0 seconds")
    from korbert.use.server import Limits, Service

    askers = _askers(options)
    try:
        service = Service((options.host, options.port), askers, Limits(answer=options.timeout))
    except OSError as error:
        raise WorldError(
            f"--host {options.host} --port {options.port}: cannot be listened on ({error.strerror}); choose another"
        ) from error
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(
        f"korbert: http://{host}:{service.server_address[1]}/ serves {', '.join(askers)}", file=sys.stderr, flush=True
    )
    _run(service)
    return 0


def _askers(options: argparse.Namespace) -> dict[str, Asker]:
    from korbert.use.asking import Asker
    from korbert.use.loading import load

    found: dict[str, Asker] = {}
    for given in options.models:
        named, equals, place = given.partition("=")
        usable = load(Path(place if equals else given), task=options.task, max_tokens=options.max_tokens)
        name = named if equals else usable.task or usable.folder.name
        if name in found:
            raise UsageError(f"{given}: {name} is the name of another model; name it: NAME={place or given}")
        found[name] = Asker(usable)
    return found


def _run(service: Service) -> None:
    """Serves until SIGTERM or Ctrl-C; requests under way are answered first."""
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    serving = threading.Thread(target=service.serve_forever, name="server")
    serving.start()
    try:
        asked.wait()
    finally:
        service.stop()
        serving.join()
        for number, handler in before.items():
            signal.signal(number, handler)
    print("korbert: stopped", file=sys.stderr)
