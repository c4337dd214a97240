"""The chain from an HTTP response to a score: each stage runs as a process of its own, fresh ones are skipped.

A killed run leaves every finished artefact and every resumable one; the same command goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from korbert import chain
from korbert.chain import CHAIN, Workspace
from korbert.config import Config
from korbert.db import crawled, embedded
from korbert.db.connection import connect
from korbert.errors import UsageError, WorldError
from korbert.processes import dies_with_parent, sole
from korbert.storage import INTENT, MANIFEST, Manifest, fresh, publishing, set_aside

NAMES = tuple(stage.name for stage in CHAIN)
# Stages that work in place: run anew, they must not find their old work.
_RESUMABLE = ("pretrain", "finetune", "tune")
# The crawler's exit code when it came to its end with failed slices.
_FAILED_SLICES = 3
# Stages that read Postgres.
_DATABASE = ("crawl", "corpus")


@dataclass(frozen=True)
class Outcome:
    """What became of one stage in a run."""

    stage: str
    action: str
    """ran or skipped."""
    seconds: float
    manifest: Manifest


class StageFailed(Exception):
    """A stage's process failed and has said why on standard error."""

    def __init__(self, stage: str, code: int) -> None:
        super().__init__(f"stage {stage} failed with exit code {code}")
        self.stage, self.code = stage, code


def source_name(config: Config, inputs: Mapping[str, str]) -> str:
    """The name under which the articles of stage crawl, made from `inputs`, lie in the database: `crawl.source`, or a
    newsroom's own, another one for another file or limit."""
    if config.crawl.source:
        return config.crawl.source
    return f"newsroom-{inputs['articles'][:8]}" + (f"-{config.crawl.limit}" if config.crawl.limit else "")


def run(
    config: Config,
    workspace: Workspace,
    *,
    first: str = NAMES[0],
    last: str = NAMES[-1],
    tell: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Runs the chain from `first` to `last`; stages before `first` must have been published, `first` is made anew.

    Raises:
        UsageError: for wrong stage names or missing inputs.
        WorldError: when a stage cannot be started or the database cannot.
        StageFailed: when a stage's process exits with a failure.
    """
    names = [name for name in _selected(first, last) if name in chain.stages(config)]
    _check(config, workspace, names, tell)
    with sole(workspace.root, "run", "choose another --workspace"):
        workspace.save(config)
        if first != NAMES[0]:
            _forget(workspace, first)
        with contextlib.ExitStack() as stack:
            environment = _environment()
            if _needs_database(config, workspace, names):
                tell("database: starting")
                environment["DATABASE_URL"] = stack.enter_context(embedded.database(workspace.root))
            return [_run_stage(config, workspace, name, environment, tell) for name in names]


def _check(config: Config, workspace: Workspace, names: Sequence[str], tell: Callable[[str], None]) -> None:
    """What pre-training would be refused for hours later is refused now."""
    if "pretrain" in names and chain.state(config, workspace, "pretrain").state != "fresh":
        from korbert.training import preflight  # numpy and more, which other stages' runs need not wait for

        preflight.check(config, workspace, tell, remade="tokens" in names)


def _environment() -> dict[str, str]:
    """What the stages' processes inherit.

    Threads that wait for work sleep: the demo's fine-tuning with two threads on two cores that other work used too
    took 65 s with spinning threads and 20 s with sleeping ones (once each). On idle cores the two were not compared.
    """
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}


def _selected(first: str, last: str) -> tuple[str, ...]:
    for option, name in (("--from", first), ("--to", last)):
        if name not in NAMES:
            raise UsageError(f"{option} {name}: there is no such stage; there are: {', '.join(NAMES)}")
    begin, end = NAMES.index(first), NAMES.index(last)
    if begin > end:
        raise UsageError(f"--from {first}: comes after --to {last}; the order is: {', '.join(NAMES)}")
    return NAMES[begin : end + 1]


def _needs_database(config: Config, workspace: Workspace, names: Sequence[str]) -> bool:
    if config.corpus.sources:
        return False
    return any(name in names and chain.state(config, workspace, name).state != "fresh" for name in _DATABASE)


def _forget(workspace: Workspace, stage: str) -> None:
    path = workspace.path(stage)
    if stage in _RESUMABLE and (path / INTENT).exists():
        set_aside(path)
    (path / MANIFEST).unlink(missing_ok=True)


def _run_stage(
    config: Config, workspace: Workspace, name: str, environment: dict[str, str], tell: Callable[[str], None]
) -> Outcome:
    plan = chain.plan(config, workspace, name)
    if manifest := fresh(plan):
        tell(f"{name}: fresh, skipped")
        return Outcome(name, "skipped", 0.0, manifest)
    tell(f"{name}: running")
    started = time.monotonic()
    if name == "crawl" and config.crawl.source:
        take(config, workspace, environment["DATABASE_URL"])
    elif name == "crawl":
        _crawl(config, workspace, environment)
    elif name == "tune":
        _process(name, ["-m", "tune", "--workspace", str(workspace.root)], environment)
    else:
        _process(name, ["-m", "korbert", "stage", name, "--workspace", str(workspace.root)], environment)
    return Outcome(name, "ran", time.monotonic() - started, workspace.manifest(name))


def take(config: Config, workspace: Workspace, database_url: str) -> bool:
    """Publishes stage crawl from what the database holds of `crawl.source`; False when the artefact says that already.

    Raises:
        UsageError: when `crawl.source` is empty, or nothing is stored of it.
        WorldError: when the database or the disk is lost.
    """
    source = config.crawl.source
    if not source:
        raise UsageError("crawl.source = '': names no source; the newsroom's articles come by: korbert run --to crawl")
    plan = chain.plan(config, workspace, "crawl")
    with contextlib.closing(connect(database_url)) as connection:
        if fresh(plan):
            return crawled.renew(workspace, connection)
        held = crawled.stored(connection, source)
        with publishing(plan) as draft:
            crawled.write(draft, connection, source, held)
    return True


def _crawl(config: Config, workspace: Workspace, environment: dict[str, str]) -> None:
    """Serves the articles, crawls them into Postgres and publishes what is there."""
    plan = chain.plan(config, workspace, "crawl")
    source = source_name(config, plan.inputs)
    newsroom = ["--articles", str(chain.articles_file(config)), "--limit", str(config.crawl.limit), "--port", "0"]
    with publishing(plan) as draft:
        with _newsroom(newsroom, environment) as (base_url, served):
            arguments = ["--workspace", str(workspace.root), "--base-url", base_url, "--source-name", source]
            _crawler(arguments, environment)
        with contextlib.closing(connect(environment["DATABASE_URL"])) as connection:
            crawled.write(draft, connection, source, served)


@contextmanager
def _newsroom(arguments: Sequence[str], environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """A newsroom in a process of its own; answers its base URL and how many articles it serves."""
    command = [sys.executable, "-m", "crawler", "newsroom", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, preexec_fn=dies_with_parent
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            started = re.fullmatch(r"newsroom: (\S+) \(([\d,]+) articles\)", line.strip())
            if started is None:
                raise StageFailed("crawl", process.wait() or 1)
            yield started[1], int(started[2].replace(",", ""))
        finally:
            process.terminate()


def _crawler(arguments: Sequence[str], environment: dict[str, str]) -> None:
    try:
        _process("crawl", ["-m", "crawler", "crawl", *arguments], environment)
    except StageFailed as error:
        if error.code != _FAILED_SLICES:
            raise
        raise WorldError(
            "stage crawl: came to its end, but some slices failed (see above); run the same command again to retry them"
        ) from error


def _process(stage: str, arguments: Sequence[str], environment: dict[str, str]) -> None:
    """Runs a stage's Python process to its end; our own SIGTERM or SIGINT ends it first.

    Raises:
        StageFailed: when it exits with another code than 0.
        WorldError: when a signal ended it.
    """
    with subprocess.Popen([sys.executable, *arguments], env=environment, preexec_fn=dies_with_parent) as process:
        try:
            code = process.wait()
        except BaseException:
            # Time for the page in flight or the training step, and its checkpoint.
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            process.kill()
            raise
    if code < 0:
        name = signal.Signals(-code).name
        raise WorldError(f"stage {stage}: its process was ended by {name}; run the same command again to go on")
    if code != 0:
        raise StageFailed(stage, code)


def workspaces(runs: Path) -> list[Workspace]:
    """The workspaces in folder `runs`, by name."""
    if not runs.is_dir():
        return []
    return [Workspace(path.parent) for path in sorted(runs.glob("*/config.json"))]


def score_line(workspace: Workspace) -> str:
    """The run's score in one line; empty before there is one."""
    path = workspace.path("finetune") / "scores.json"
    if not path.is_file():
        return ""
    return score_text(json.loads(path.read_text()))


def score_text(score: dict[str, Any]) -> str:
    """What scores.json holds, in one line."""
    spread = _with_spread(score)
    also = "".join(f", {name} {_with_spread(value)}" for name, value in score.get("also", {}).items())
    seeds = len(score["seeds"])
    return (
        f"{score['task']} {score['metric']}: {spread}{also} over {seeds} seed{'s' * (seeds > 1)} "
        f"(test rows {score['n_test']:,}, {score.get('baseline_is') or 'always guessing the larger class'} "
        f"{score['majority_baseline']:.4f})" + (f"; {score['remark']}" if score.get("remark") else "")
    )


def _with_spread(score: dict[str, Any]) -> str:
    return f"{score['mean']:.4f}" + ("" if score["std"] is None else f" ± {score['std']:.4f}")
