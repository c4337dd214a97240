"""The `korbert` command: the only module of the library that prints results. Exit codes: `korbert.commands`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import korbert
from korbert import chain, pipeline, recipes
from korbert.chain import Workspace
from korbert.commands import Parser, exit_code
from korbert.config import Config, as_toml, overridden
from korbert.console import (
    add_settings,
    add_sources,
    bench,
    benchmarks,
    cluster,
    command,
    corpus,
    data,
    doctor,
    fill_mask,
    finetune,
    onnx,
    plan,
    predict,
    runs,
    serve,
    tokenizer,
    wait,
    with_sources,
)
from korbert.errors import UsageError

# Stage to the module whose `run(config, workspace)` makes its artefact.
DRIVERS = {
    "tokenizer": "korbert.tokenizer.train",
    "tokens": "korbert.data.encode",
    "pretrain": "korbert.training.launch",
    "export": "korbert.training.export",
    "finetune": "korbert.benchmarks.finetune",
}

_STAGES = ("crawl", "corpus", *DRIVERS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and answers its exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    # Threads that wait for work sleep: spinning ones hold the cores that others work on (see pipeline._environment).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return exit_code("korbert", lambda: _run_command(arguments))


def _run_command(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["crawl"]:
        _become_crawler(words[1:])
    options = _parser().parse_args(words)
    try:
        return int(options.command(options))
    except pipeline.StageFailed as error:
        return error.code  # its process has said why


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _become_crawler(words: list[str]) -> NoReturn:
    """Puts the crawler's own command in this process's place: the library does not import it."""
    command = [sys.executable, "-m", "crawler", *words]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="korbert", description="Korean news from the first HTTP request to a benchmark score.")
    parser.add_argument("--version", action="version", version=f"korbert {korbert.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_config(commands)
    _add_status(commands)
    _add_report(commands)
    for module in (
        corpus, tokenizer, data, finetune, benchmarks, predict, fill_mask, serve, onnx, bench, plan, runs, doctor,
        wait, cluster,
    ):  # fmt: skip
        module.add(commands)
    _add_stage(commands)
    crawler = "Sources, coverage, imports, takedowns: the crawler's own commands."
    commands.add_parser("crawl", help=crawler, add_help=False)
    return parser


def _add_run(commands: Any) -> None:
    parser = command(commands, "run", _run, "Run a recipe's chain of stages; fresh stages are skipped.")
    parser.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(recipes.RECIPES)}")
    parser.add_argument("--from", dest="first", metavar="STAGE", default=pipeline.NAMES[0], help="make this stage anew")
    parser.add_argument(
        "--to", dest="last", metavar="STAGE", help=f"stop after it; stages: {', '.join(pipeline.NAMES)}"
    )
    parser.add_argument("--articles", metavar="FILE", help="articles to crawl, .jsonl, .jsonl.zst or .jsonl.gz")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N articles")
    add_sources(parser, "--corpus")
    parser.add_argument("--nsmc", metavar="DIR", help="folder with NSMC's ratings_train.txt and ratings_test.txt")
    add_settings(parser)
    parser.add_argument("--workspace", metavar="DIR", type=Path, help="default: runs/RECIPE")
    parser.add_argument("--report", metavar="DIR", type=Path, default=Path("report"), help="default: report")


def _run(options: argparse.Namespace) -> int:
    config = _configured(options)
    workspace = Workspace(options.workspace or Path("runs") / config.recipe)
    outcomes = pipeline.run(
        config,
        workspace,
        first=options.first,
        last=options.last or pipeline.NAMES[-1],
        tell=lambda line: print(f"korbert: {line}", file=sys.stderr, flush=True),
    )
    _print_chain(config, workspace, {o.stage: o for o in outcomes})
    if options.last is None:
        page = _write_report(workspace.root.parent, options.report)
        print(f"report: {page}")
    if score := pipeline.score_line(workspace):
        print(score)
    return 0


def _configured(options: argparse.Namespace) -> Config:
    """The recipe with the command line's paths, limits and settings in it."""
    config = recipes.recipe(options.recipe)
    crawl, finetune = config.crawl, config.finetune
    if options.articles is not None:
        crawl = dataclasses.replace(crawl, articles=_existing(Path(options.articles), "--articles", Path.is_file))
    if options.limit is not None:
        crawl = dataclasses.replace(crawl, limit=options.limit)
    if options.nsmc is not None:
        finetune = dataclasses.replace(finetune, data=_existing(Path(options.nsmc), "--nsmc", Path.is_dir))
    config = dataclasses.replace(config, crawl=crawl, finetune=finetune)
    config = overridden(with_sources(config, options.corpus, options.evaluation), options.settings)
    # Every input is looked at before the first stage runs: hours later is a bad time to learn of a missing file.
    chain.check_inputs(config)
    return config


def _existing(path: Path, option: str, test: Callable[[Path], bool]) -> str:
    if not test(path):
        kind = "folder" if test is Path.is_dir else "file"
        raise UsageError(f"{option} {path}: there is no such {kind}; name one that exists")
    return str(path.resolve())


def _add_config(commands: Any) -> None:
    parser = commands.add_parser("config", help="Show a recipe's whole configuration.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    show = command(
        actions, "show", _config_show, "Print a recipe's whole configuration as TOML, every field explained."
    )
    show.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(recipes.RECIPES)}")
    add_settings(show)
    save = command(actions, "save", _config_save, "Make a folder a workspace of this configuration.")
    save.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(recipes.RECIPES)}")
    save.add_argument("--workspace", metavar="DIR", type=Path, required=True)
    add_settings(save)
    command(actions, "list", _config_list, "Print the recipes' names and what they are.")


def _config_show(options: argparse.Namespace) -> int:
    print(as_toml(overridden(recipes.recipe(options.recipe), options.settings)), end="")
    return 0


def _config_save(options: argparse.Namespace) -> int:
    Workspace(options.workspace).save(overridden(recipes.recipe(options.recipe), options.settings))
    return 0


def _config_list(options: argparse.Namespace) -> int:
    for name, function in recipes.RECIPES.items():
        print(f"{name:8}{(function.__doc__ or '').strip()}")
    return 0


def _add_status(commands: Any) -> None:
    parser = command(commands, "status", _status, "Print the chain of each run: what exists, what is stale and why.")
    parser.add_argument("--runs", metavar="DIR", type=Path, default=Path("runs"), help="default: runs")


def _status(options: argparse.Namespace) -> int:
    found = pipeline.workspaces(options.runs)
    if not found:
        raise UsageError(f"--runs {options.runs}: holds no run; start one with: korbert run demo")
    for workspace in found:
        print(f"{workspace.root}")
        _print_chain(workspace.load(), workspace, {})
    return 0


def _print_chain(config: Config, workspace: Workspace, outcomes: dict[str, pipeline.Outcome]) -> None:
    print(f"{'stage':<10} {'state':<11} {'action':<8} {'seconds':>8}  what")
    for name in chain.stages(config):
        state = chain.state(config, workspace, name)
        outcome = outcomes.get(name)
        seconds = f"{state.manifest.seconds:.1f}" if state.manifest else ""
        what = state.why or (_counts(state.manifest.counts) if state.manifest else "")
        print(f"{name:<10} {state.state:<11} {outcome.action if outcome else '':<8} {seconds:>8}  {what}")


def _counts(counts: dict[str, Any], most: int = 5) -> str:
    numbers = {k: v for k, v in counts.items() if isinstance(v, int | float) and v and v is not True}
    shown = [f"{k} {v:,}" if isinstance(v, int) else f"{k} {v:.4g}" for k, v in list(numbers.items())[:most]]
    return ", ".join(shown)


def _add_report(commands: Any) -> None:
    parser = command(commands, "report", _report, "Write one HTML page and charts over all runs.")
    parser.add_argument("--runs", metavar="DIR", type=Path, default=Path("runs"), help="default: runs")
    parser.add_argument("--output", metavar="DIR", type=Path, default=Path("report"), help="default: report")


def _report(options: argparse.Namespace) -> int:
    print(_write_report(options.runs, options.output))
    return 0


def _write_report(runs: Path, output: Path) -> Path:
    from korbert import report

    found = pipeline.workspaces(runs)
    if not found:
        raise UsageError(f"--runs {runs}: holds no run; start one with: korbert run demo")
    return report.write(found, output)


def _add_stage(commands: Any) -> None:
    parser = command(commands, "stage", _stage, "Run one stage of a workspace, as `korbert run` and pods do.")
    parser.add_argument("name", metavar="STAGE", help=f"one of: {', '.join(_STAGES)}")
    parser.add_argument("--workspace", metavar="DIR", type=Path, required=True)


def _stage(options: argparse.Namespace) -> int:
    workspace = Workspace(options.workspace)
    config = workspace.load()
    if options.name == "crawl":
        _take_crawled(config, workspace)
    elif options.name == "corpus":
        _build_corpus(config, workspace)
    elif options.name in DRIVERS:
        importlib.import_module(DRIVERS[options.name]).run(config, workspace)
        if options.name == "pretrain":
            print(runs.summarize(workspace))
    else:
        raise UsageError(f"stage {options.name!r}: there is no such stage; there are: {', '.join(_STAGES)}")
    return 0


def _take_crawled(config: Config, workspace: Workspace) -> None:
    from korbert.db import embedded

    with embedded.database(workspace.root) as url:
        changed = pipeline.take(config, workspace, url)
    counts = workspace.manifest("crawl").counts
    held = f"{counts['articles']:,} articles of {config.crawl.source}, {counts['trainable']:,} of them for training"
    print(f"crawl: {held}{'' if changed else '; nothing new'}")


def _build_corpus(config: Config, workspace: Workspace) -> None:
    from korbert.corpus import build
    from korbert.corpus.sources import PostgresSource, open_source
    from korbert.db import embedded

    if config.corpus.sources:
        build.run(config, workspace, [open_source(name, config.corpus.licence) for name in config.corpus.sources])
        return
    source = pipeline.source_name(config, chain.plan(config, workspace, "crawl").inputs)
    expected = workspace.manifest("crawl").counts.get("trainable", 0)
    with embedded.database(workspace.root) as url:
        state = build.register(workspace, url, source)
        build.run(config, workspace, [PostgresSource(url, source)], expected=expected, state=state)


if __name__ == "__main__":
    # Ray and torch start processes that would otherwise say so at length.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    sys.exit(main())
