"""Trials that share nothing: each process reads the rows, tokenises those it uses, loads the encoder and trains.

Run as a program it does a list of trials, under Ray Tune as its guides have it (a trainable that loads what it needs,
reports and keeps a checkpoint at each judgement) or just one of them in this process.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from korbert import tasks
from korbert.benchmarks.classifier import load_classifier, predicted, quiet
from korbert.benchmarks.fitting import Fitting, Settings
from korbert.benchmarks.material import Draw, read_drawn
from korbert.benchmarks.metrics import METRICS
from korbert.benchmarks.tokens import load_tokenizer

HELD_OUT = 0.1
SEED = 1
# As a sweep of ours starts its own Ray; Ray's defaults would be slower.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_worker_niceness": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

Work = dict[str, Any]
"""A trial: "encoder" and "data", the folders; "choice" of settings; "rows" to train on; "parts" of epochs after which
it is judged, the last of which are "epochs"."""


def judgements(work: Work) -> Iterator[tuple[float, Fitting]]:
    """Trains a trial; answers the score at each judgement, and what was trained."""
    torch.set_num_threads(1)
    quiet()
    encoder, task, choice = Path(work["encoder"]), tasks.task("nsmc"), work["choice"]
    tokenizer = load_tokenizer(encoder)
    draw = Draw(work["rows"], SEED, work["rows"] // 5)
    training, validation = read_drawn(
        task, Path(work["data"]), tokenizer, draw, max_tokens=choice["max_tokens"], validation=HELD_OUT
    )  # fmt: skip
    settings = {name: value for name, value in choice.items() if name not in ("model", "max_tokens")}
    model = load_classifier(encoder, task.labels, choice["dropout"], SEED)
    fitting = Fitting(model, training, tokenizer.pad, Settings(seed=SEED, **settings))
    done, parts = 0, round(work["parts"][-1] / work["epochs"])
    for end in work["parts"]:
        epoch = done // parts
        fitting.epoch(epoch + 1, part=(done - epoch * parts, end - epoch * parts, parts))
        yield METRICS[task.metric].score(predicted(model, validation, tokenizer.pad), validation, task.labels), fitting
        done = end


def alone(work: Work) -> float:
    """The last score of a trial in this process."""
    return [score for score, _ in judgements(work)][-1]


def trainable(settings: dict[str, Any]) -> None:
    """A trial of Ray Tune's, which could go on from its last judgement."""
    from ray import tune as ray_tune

    for score, fitting in judgements(settings["work"]):
        with tempfile.TemporaryDirectory() as folder:
            torch.save(fitting.state(), Path(folder) / "trial.pt")
            ray_tune.report({"validation": score}, checkpoint=ray_tune.Checkpoint.from_directory(folder))


def under_ray(works: list[Work], folder: Path, at_once: int) -> list[float]:
    """The last scores of trials, `at_once` at a time, a new process each; Ray's files go to `folder`."""
    # A token of its own: Ray would write one into the home folder.
    os.environ.update(ENVIRONMENT, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    import ray
    from ray import tune as ray_tune

    ray.init(
        address="local", num_cpus=at_once, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
    )
    try:
        tuner = ray_tune.Tuner(
            ray_tune.with_resources(trainable, {"cpu": 1.0}),
            param_space={"work": ray_tune.grid_search(works)},
            tune_config=ray_tune.TuneConfig(metric="validation", mode="max", max_concurrent_trials=at_once),
            run_config=ray_tune.RunConfig(
                name="plain",
                storage_path=str(folder),
                verbose=0,
                checkpoint_config=ray_tune.CheckpointConfig(num_to_keep=1),
            ),
        )
        results = tuner.fit()
        return [float((results[number].metrics or {})["validation"]) for number in range(len(results))]
    finally:
        ray.shutdown()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    scores = under_ray(given["works"], Path(given["folder"]), given["at_once"]) if "works" in given else alone(given)
    print(json.dumps(scores))
