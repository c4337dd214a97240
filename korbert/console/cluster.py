"""`korbert cluster`: what a cluster lacks before anything is applied, and how far its stages are."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from korbert.cluster import check, status
from korbert.cluster.access import Api, open_api
from korbert.cluster.needs import NAMESPACE, OVERLAYS
from korbert.console import command, group
from korbert.console.wait import seconds

_CLEAR = "\x1b[H\x1b[2J"
_WIDEST_NOTE = 80


def add(commands: Any) -> None:
    """Adds the commands' parsers."""
    actions = group(commands, "cluster", "What a Kubernetes cluster lacks, and how far its stages are.")
    look = command(actions, "check", _check, "Say what the cluster lacks before anything is applied, and why.")
    look.add_argument("--overlay", metavar="NAME", default="gpu", help=f"one of: {', '.join(OVERLAYS)} (default gpu)")
    far = command(actions, "status", _status, "Print how far every stage is, on one screen.")
    far.add_argument("--watch", metavar="TIME", nargs="?", const="5s", help="print again every TIME (default 5s)")
    for parser in (look, far):
        parser.add_argument("--context", metavar="NAME", default="", help="the kubeconfig's context (default: current)")
        parser.add_argument("--json", action="store_true", help="for programs")


def _check(options: argparse.Namespace) -> int:
    found = check.check(open_api(options.context), options.overlay)
    lacking = sum(finding.state == "missing" for finding in found)
    if options.json:
        print(json.dumps({"overlay": options.overlay, "ready": not lacking, "findings": [asdict(f) for f in found]}))
        return 1 if lacking else 0
    for finding in found:
        step = f"; {finding.step}" if finding.step else ""
        print(f"{finding.state:<8} {finding.subject:<18} {finding.what}{step}")
    verdict = f"{lacking} missing" if lacking else "nothing missing; go on with"
    print(
        f"overlay {options.overlay}: {verdict}"
        + ("" if lacking else f": kubectl apply -k k8s/overlays/{options.overlay}")
    )
    return 1 if lacking else 0


def _status(options: argparse.Namespace) -> int:
    api = open_api(options.context)
    pause = seconds(options.watch, "--watch") if options.watch else 0.0
    while True:
        _print(api, options.json, clear=bool(options.watch) and sys.stdout.isatty())
        if not options.watch:
            return 0
        time.sleep(pause)


def _print(api: Api, as_json: bool, *, clear: bool) -> None:
    found = status.rows(api)
    if as_json:
        print(json.dumps([asdict(row) for row in found]), flush=True)
        return
    lines = _table(found) if found else [f"namespace {NAMESPACE} on {api.host}: holds nothing; apply an overlay first"]
    print((_CLEAR if clear else "") + "\n".join(lines), flush=True)


def _table(found: Sequence[status.Row]) -> list[str]:
    cells = [("kind", "name", "state", "progress", "note")]
    cells += [(row.kind, row.name, row.state, row.progress, _short(row.note)) for row in found]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return ["  ".join([*(f"{c:<{w}}" for c, w in zip(line, widths, strict=False)), line[4]]).rstrip() for line in cells]


def _short(note: str) -> str:
    line = " ".join(note.split())
    return line if len(line) <= _WIDEST_NOTE else line[: _WIDEST_NOTE - 1] + "…"
