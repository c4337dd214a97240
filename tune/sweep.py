"""The driver of stage `tune`: a hyper-parameter sweep of fine-tuning with Ray Tune, ASHA or PBT, and Optuna.

A tune artefact holds
    trials.json     [{"trial", "key", "config", "epochs", "best", "state", "seconds", "judging"}], "epochs" as
                    `trainable.trial` reports them; state is completed, or stopped (by the scheduler, or because the
                    loss diverged); seconds of training, and of judging on validation rows
    finalists.json  the best trials over several seeds, best first: {"trial", "config", "seeds", "validation", "mean",
                    "std", "scores", "best_epochs"}, and the seeds' runs as "runs"
    best.json       the winner: "trial", "validation", "config", and "set", its texts for --set; null without a trial
    winner.toml     the same as section `finetune` of a config
    ray/, wandb/    Ray's own state, from which a killed sweep goes on, and the tracker's; no part of the artefact
"""

from __future__ import annotations

import math
from typing import Any

from korbert import chain
from korbert.config import Config
from korbert.storage import Draft, Manifest, Plan, fresh, read_manifest, resumable, write_bytes, write_json
from tune import finals
from tune.contest import Contest
from tune.driver import RAY, WANDB, Driver
from tune.finals import Record
from tune.session import Cluster


def run(config: Config, workspace: chain.Workspace, cluster: Cluster | None = None) -> Manifest:
    """Publishes a workspace's tune artefact, see `sweep`."""
    encoder = workspace.path("export").resolve()
    contest = Contest(config, {"export": encoder}, {config.finetune.task: chain.benchmark_folder(config)})
    return sweep(contest, chain.plan(config, workspace, "tune"), cluster)


def sweep(contest: Contest, plan: Plan, cluster: Cluster | None = None) -> Manifest:
    """Publishes the artefact of `plan`, or answers a fresh one; goes on where a killed sweep was.

    Raises:
        UsageError: for bad input files or an encoder that cannot be used.
        WorldError: when Ray cannot start, a trial keeps failing, or the disk is full.
    """
    if manifest := fresh(plan):
        return manifest
    rows = contest.rows()
    with resumable(plan) as draft:
        draft.transient = lambda name: name.split("/")[0] in (RAY, WANDB)
        driver = Driver(contest, plan, rows)
        trials, runs = driver.all_trials(cluster or Cluster())
        _publish(contest, draft, trials, runs)
        driver.clear()
    published = read_manifest(plan.path)
    assert published is not None
    return published


def _publish(contest: Contest, draft: Draft, trials: list[Record], runs: list[Record]) -> None:
    config = contest.config.tune
    finalists = finals.judged(trials, runs, config)
    best = finals.winner(trials, finalists, config)
    write_json(draft.path / "trials.json", trials)
    write_json(draft.path / "finalists.json", {"finalists": finalists, "runs": runs})
    write_json(draft.path / "best.json", best)
    if best is not None:
        write_bytes(draft.path / "winner.toml", finals.recipe(best, list(contest.folders)).encode())
    seconds, judging = (math.fsum(record[name] for record in [*trials, *runs]) for name in ("seconds", "judging"))
    counts: dict[str, Any] = {
        "trials": len(trials),
        "stopped": sum(record["state"] == "stopped" for record in trials),
        "validation": best["validation"] if best else None,
        "final_runs": len(runs),
        # Beside the artefact's own seconds: what the trials' training alone would take, as many at once.
        "trained_seconds": round(seconds, 3),
        "judging_seconds": round(judging, 3),
        "trained_seconds_at_once": round(seconds / config.concurrent, 3),
    }
    draft.counts = counts
