"""`python -m tune`: a hyper-parameter sweep as a process of its own, of a run's workspace or of any encoders."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from korbert import tasks
from korbert.chain import Workspace, shipped_nsmc
from korbert.commands import Parser, exit_code
from korbert.config import Config, overridden
from korbert.errors import UsageError
from korbert.storage import INTENT, Manifest, read_json, read_manifest
from tune import sweep
from tune.contest import Contest
from tune.session import Cluster


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the sweep and prints the winner; answers the exit code."""
    return exit_code("tune", lambda: _run_command(arguments))


def _run_command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    cluster = Cluster(options.address, options.dashboard)
    folder, manifest = _of_workspace(options, cluster) if options.workspace else _of_models(options, cluster)
    print(_sentence(read_json(folder / "best.json"), manifest))
    return 0


def _parser() -> Parser:
    parser = Parser(prog="python -m tune", description="Hyper-parameter sweep of fine-tuning.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"any of: {', '.join(tasks.names())}")
    parser.add_argument(
        "--workspace", type=Path, metavar="DIR", help="sweep what a run's config says: a folder with config.json"
    )
    parser.add_argument(
        "--model", action="append", type=Path, default=[], metavar="M", help="encoder's folder; several are compared"
    )
    parser.add_argument("--data", action="append", default=[], metavar="TASK=DIR", help="folder with a task's files")
    parser.add_argument("--trials", type=int, metavar="N", help="settings tried")
    parser.add_argument("--set", action="append", default=[], metavar="tune.FIELD=VALUE", dest="settings")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: sweeps/TASK+TASK")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted sweep, or refuse")
    parser.add_argument("--address", default="", metavar="A", help="a Ray that runs: auto, HOST:PORT, ray://HOST:PORT")
    parser.add_argument("--dashboard", action="store_true", help="Ray's dashboard, with a token of its own")
    return parser


def _of_workspace(options: argparse.Namespace, cluster: Cluster) -> tuple[Path, Manifest]:
    given = [name for name in ("tasks", "model", "data", "trials", "settings", "output") if getattr(options, name)]
    if given:
        raise UsageError(f"--workspace: has a config of its own; leave out {', '.join(given)}")
    workspace = Workspace(options.workspace)
    config = workspace.load()
    _check_resume(options, workspace.path("tune"))
    return workspace.path("tune"), sweep.run(config, workspace, cluster)


def _of_models(options: argparse.Namespace, cluster: Cluster) -> tuple[Path, Manifest]:
    if not options.tasks or not options.model:
        raise UsageError("name at least one TASK and one --model, or a --workspace; see python -m tune --help")
    folders = _folders(options.tasks, options.data)
    base = Config(recipe="sweep")
    first = replace(base.finetune, task=options.tasks[0], data=str(folders[options.tasks[0]]))
    trials = [] if options.trials is None else [f"tune.trials={options.trials}"]
    config = overridden(replace(base, finetune=first), [*trials, *options.settings])
    output: Path = options.output or Path("sweeps") / "+".join(options.tasks)
    _check_resume(options, output)
    contest = Contest.named(config, options.model, folders)
    return output, sweep.sweep(contest, contest.plan(output), cluster)


def _folders(names: Sequence[str], data: Sequence[str]) -> dict[str, Path]:
    """Each task's folder.

    Raises:
        UsageError: for a task that is none, one named twice, or one without files.
    """
    given = dict(text.partition("=")[::2] for text in data)
    for name in names:
        if name not in tasks.names():
            raise UsageError(f"{name}: is no task; there are: {', '.join(tasks.names())}")
    if len(set(names)) < len(names):
        raise UsageError(f"{' '.join(names)}: a task is named twice; name each once")
    for name in given:
        if name not in names or not given[name]:
            raise UsageError(f"--data {name}: must be written TASK=DIR, with one of the tasks: {', '.join(names)}")
    for name in names:
        if name not in given and name != "nsmc":
            raise UsageError(f"--data: names no folder with the files of task {name}; add --data {name}=DIR")
    return {name: Path(given[name]) if name in given else shipped_nsmc() for name in names}


def _check_resume(options: argparse.Namespace, folder: Path) -> None:
    if options.resume and not (folder / INTENT).is_file():
        raise UsageError(f"--resume: {folder} holds no sweep to go on with; leave --resume out to start one")
    if options.resume and read_manifest(folder) is not None:
        print(f"{folder}: this sweep is finished", file=sys.stderr)


def _sentence(best: dict[str, object] | None, manifest: Manifest) -> str:
    if best is None:
        return "no trials: tune.trials = 0"
    settings = " ".join(f"--set {text}" for text in best["set"])  # type: ignore[attr-defined]
    counts = manifest.counts
    return (
        f"best of the sweep: trial {best['trial']}, validation {best['validation']:.4f}: {settings}\n"
        f"{counts['trials']} trials, {counts['stopped']} stopped early, {counts['final_runs']} runs of finalists; "
        f"training alone {counts['trained_seconds_at_once']:.0f} s at this concurrency, in all {manifest.seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
