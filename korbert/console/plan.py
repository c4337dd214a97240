"""`korbert plan`: what more GPUs would bring, before they are rented."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from korbert import recipes
from korbert.bench import plan
from korbert.chain import Workspace
from korbert.config import Config, overridden
from korbert.console import add_settings, command
from korbert.errors import UsageError

# Assumed. MLPerf Training 4.0's BERT record is worth some 0.65 of an H200's measured bf16 rate.
MFU = 0.5


def add(commands: Any) -> None:
    """Registers the command."""
    parser = command(
        commands, "plan", _plan, "Predict step time, scaling efficiency and hours on n nodes from one GPU's speed."
    )
    parser.add_argument("run", metavar="RUN", nargs="?", type=Path, help="a run's folder: its config and its tokens")
    parser.add_argument("--recipe", metavar="RECIPE", help="in the place of RUN")
    parser.add_argument("--nodes", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument("--gpus", type=int, default=1, metavar="G", help="of a node; default: 1")
    parser.add_argument("--link", default="25GbE", metavar="LINK", help="between nodes, like 25GbE (default) or 50GB/s")
    parser.add_argument("--step-seconds", type=float, default=0.0, metavar="S", help="one GPU's time for a whole step")
    parser.add_argument("--bench", type=Path, metavar="FILE", help="output of `korbert bench pretrain --json` on it")
    parser.add_argument("--peak-tflops", type=float, default=0.0, metavar="T", help="its rate of matrix products")
    parser.add_argument("--mfu", type=float, default=MFU, metavar="M", help=f"share of it reached; default: {MFU}")
    parser.add_argument(
        "--sample-tokens", type=float, default=0.0, metavar="N",
        help="with --recipe: mean real tokens of a sample; default: data.max_tokens",
    )  # fmt: skip
    parser.add_argument("--samples", type=int, default=0, metavar="N", help="with --recipe: samples of an epoch")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_settings(parser)


def _plan(options: argparse.Namespace) -> int:
    if (options.run is None) == (options.recipe is None):
        raise UsageError("plan: needs either RUN or --recipe")
    config = Workspace(options.run).load() if options.run else recipes.recipe(options.recipe)
    config = overridden(config, options.settings)
    work = _of_run(config, options.run) if options.run else _of_recipe(config, options)
    speed = plan.rank_speed(
        work, step_seconds=options.step_seconds, measured=_measured(options.bench), peak_tflops=options.peak_tflops,
        mfu=options.mfu,
    )  # fmt: skip
    cluster = plan.Cluster(options.nodes, options.gpus, plan.link_of(options.link))
    found = [plan.predict(work, cluster, speed, kind, once=once) for kind in plan.BYTES for once in (True, False)]
    if options.json:
        told = {"work": vars(work), "cluster": vars(cluster), "rank_tokens_per_second": speed}
        print(json.dumps(told | {"predictions": [one.as_dict() for one in found]}))
    else:
        print("\n".join(_lines(work, cluster, options.link, speed, found)))
    return 0


def _of_run(config: Config, run: Path) -> plan.Work:
    # torch and the text are read only here: a recipe's plan needs neither.
    from korbert.training.course import course

    training = course(config, Workspace(run))
    mean = float(training.samples.lengths.mean())
    return plan.Work.of(config, training.store.vocab_size, mean, training.steps)


def _of_recipe(config: Config, options: argparse.Namespace) -> plan.Work:
    training, mean = config.training, options.sample_tokens or float(config.data.max_tokens)
    if not 1 <= mean <= config.data.max_tokens:
        raise UsageError(f"--sample-tokens {mean:g}: must be 1 to data.max_tokens = {config.data.max_tokens}")
    if options.samples < 0:
        raise UsageError(f"--samples {options.samples}: must be 1 or more")
    steps = training.epochs * -(-options.samples // training.global_batch)
    steps = min(steps, training.max_steps) if steps and training.max_steps else steps or training.max_steps
    return plan.Work.of(config, config.tokenizer.vocab_size, mean, steps)


def _measured(path: Path | None) -> float:
    """Real tokens a second from the last line of a file; 0: no file was named."""
    if path is None:
        return 0.0
    try:
        found = json.loads(path.read_text().strip().splitlines()[-1])
        rate = float(found["ours"]) if found["name"] == "pretrain" else 0.0
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"--bench {path}: {type(error).__name__}; its last line must be the benchmark's JSON"
        ) from error
    if rate <= 0:
        raise UsageError(f"--bench {path}: holds no speed of `korbert bench pretrain`")
    return rate


def _lines(work: plan.Work, cluster: plan.Cluster, link: str, speed: float, found: list[plan.Prediction]) -> list[str]:
    between = f"over {link}" if cluster.nodes > 1 else "over NVLink"
    lines = [
        f"{cluster.nodes} nodes of {cluster.gpus} GPUs, gradients {between}; one GPU {speed:,.0f} tokens/s",
        f"{work.parameters / 1e6:,.1f} M parameters, {work.step_tokens:,.0f} tokens a step, "
        f"{found[0].micro_batches} micro-batches a rank",
        "",
        f"{'gradients':<26}{'step s':>8}{'exchange s':>12}{'exposed s':>11}{'efficiency':>12}{'tokens/s':>14}"
        f"{'hours':>9}",
    ]
    for one in found:
        name = f"{one.communication}, {'once a step' if one.once else 'every micro-batch'}"
        hours = f"{one.hours:,.2f}" if one.hours else "-"
        lines.append(
            f"{name:<26}{one.step_seconds:>8.3f}{one.exchange_seconds:>12.3f}{one.exposed_seconds:>11.3f}"
            f"{one.efficiency:>12.1%}{one.tokens_per_second:>14,.0f}{hours:>9}"
        )
    return [*lines, "", "korbert trains as in the rows `once a step`; latency, stragglers and data are not in it."]
