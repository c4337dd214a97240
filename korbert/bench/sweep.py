"""A sweep beside the same trials done plainly: a new process each, which loads the encoder and tokenises its texts.

Ours is `python -m tune`, start and end of Ray included. The peer then runs what ours has just run, no trial more and no
step more, judged as often, with as many processes at once; it tokenises the rows that it uses and no other, and is
spared Ray, the search and the early stops' decisions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from korbert import tasks
from korbert.bench.measure import Measurement, alternate_rates, machine, versions
from korbert.benchmarks.classifier import load_classifier, predicted, quiet
from korbert.benchmarks.fitting import Fitting, Settings
from korbert.benchmarks.material import Draw, read_drawn
from korbert.benchmarks.metrics import METRICS
from korbert.benchmarks.tokens import load_tokenizer
from korbert.chain import shipped_nsmc
from korbert.config import Config, TokenizerConfig
from korbert.errors import UsageError, WorldError
from korbert.storage import read_json
from korbert.tasks import nsmc

TRIALS, ROWS, EPOCHS, CONCURRENT, MAX_TOKENS = 16, 500, 3, 2, 64
HELD_OUT = 0.1
SEED = 1
VOCABULARY = 2_000


def measure(config: Config, rounds: int, trials: int, model: Path | None = None, rows: int = 0) -> Measurement:
    """Sweeps an encoder over NSMC: the files that finetune.data names, or the reviews that ship.

    Args:
        config: The recipe, for the shape of an encoder that is not trained, and for finetune.data.
        rounds: Counted ones.
        trials: Of each sweep.
        model: The encoder's folder; None: one of the recipe's shape, not trained.
        rows: Training rows of a trial, and a fifth as many to judge it by; 0: the benchmark's own.

    Raises:
        UsageError: for a folder without NSMC's files or an encoder.
        WorldError: when a process of either side fails.
    """
    data = Path(config.finetune.data or shipped_nsmc()).resolve()
    with tempfile.TemporaryDirectory(prefix="korbert-bench-") as name:
        encoder = Path(name) / "encoder" if model is None else model.resolve()
        if model is None:
            make_encoder(config, encoder)
        sides = Sides(Path(name), encoder, data, trials, rows or ROWS, first=CONCURRENT)
        rates = alternate_rates(sides.ours, sides.naive, rounds)
    return Measurement(
        name="sweep",
        peer_name="a process each",
        unit="trials an hour",
        ours=rates[0],
        peer=rates[1],
        machine=machine(),
        details={
            "encoder": config.recipe if model is None else "given",
            "trials": trials,
            "rows": sides.rows,
            "epochs": [round(sum(trial["epochs"][-1]["epoch"] for trial in done), 2) for done in sides.rounds[1:]],
            "at_once": CONCURRENT,
            "training_seconds_at_once": [round(seconds, 1) for seconds in sides.trained[1:]],
            "seconds_of_ours": [round(seconds, 1) for seconds in sides.seconds[1:]],
            "seconds_of_peer": [round(seconds, 1) for seconds in sides.peer_seconds[1:]],
            "load": round(os.getloadavg()[0], 2),
            **versions("torch", "transformers", "ray"),
        },
    )


class Sides:
    """Both ways to do the same trials; the first round of each is the warm-up."""

    def __init__(self, folder: Path, encoder: Path, data: Path, trials: int, rows: int, first: int = 0) -> None:
        """`first`: trials of the round that does not count; 0: as many as of the others."""
        self.rows, self._first = rows, first or trials
        self._folder, self._encoder, self._data, self._trials = folder, encoder, data, trials
        self.rounds: list[list[dict[str, Any]]] = []
        """The trials' records, by round."""
        self.trained: list[float] = []
        """Seconds of training that our trials tell, divided by how many run at once."""
        self.seconds: list[float] = []
        self.peer_seconds: list[float] = []

    def ours(self) -> float:
        """Trials an hour of `python -m tune`."""
        output = self._folder / f"sweep-{len(self.rounds)}"
        settings = {
            "finetune.max_tokens": MAX_TOKENS, "finetune.validation": HELD_OUT, "tune.epochs": EPOCHS,
            "tune.concurrent": CONCURRENT, "tune.train_limit": self.rows, "tune.validation_limit": self.rows // 5,
            "tune.seed": SEED, "tune.finalists": 0, "tracking.mode": "disabled",
        }  # fmt: skip
        texts = [text for field, value in settings.items() for text in ("--set", f"{field}={value}")]
        places = ["--model", str(self._encoder), "--data", f"nsmc={self._data}", "--output", str(output)]
        trials = self._trials if self.rounds else self._first
        started = time.monotonic()
        _process(["-m", "tune", "nsmc", *places, "--trials", str(trials), *texts])
        self.seconds.append(time.monotonic() - started)
        self.rounds.append(read_json(output / "trials.json"))
        self.trained.append(sum(trial["seconds"] for trial in self.rounds[-1]) / CONCURRENT)
        return trials * 3600 / self.seconds[-1]

    def naive(self) -> float:
        """Trials an hour of the same ones, a process each."""
        started = time.monotonic()
        with ThreadPoolExecutor(CONCURRENT) as pool:
            list(pool.map(self.plain_process, self.rounds[-1]))
        self.peer_seconds.append(time.monotonic() - started)
        return len(self.rounds[-1]) * 3600 / self.peer_seconds[-1]

    def plain_process(self, trial: dict[str, Any]) -> float:
        """The last score of a trial that ours has run, from a process of its own."""
        parts = [epoch["parts"] for epoch in trial["epochs"]]
        work = {"choice": trial["config"], "rows": self.rows, "parts": parts, "epochs": trial["epochs"][-1]["epoch"]}
        arguments = [str(self._encoder), str(self._data), json.dumps(work)]
        return float(_process(["-m", "korbert.bench.sweep", *arguments]))


def make_encoder(config: Config, folder: Path) -> None:
    """Writes an encoder of the config's shape with drawn weights, and a tokenizer of the reviews that ship."""
    from transformers import BertConfig, BertForPreTraining

    from korbert.model.exchange import transformers_config
    from korbert.tokenizer.counting import Counted
    from korbert.tokenizer.train import save, train

    quiet()
    folder.mkdir()
    texts = nsmc.read(shipped_nsmc() / nsmc.TRAIN).texts
    counted = Counted(Counter(word for text in texts for word in text.split()), len(texts), sum(map(len, texts)))
    tokenizer = train(counted, TokenizerConfig(vocab_size=VOCABULARY, limit_alphabet=800))
    save(tokenizer, folder)
    torch.manual_seed(config.seed)
    vocabulary = tokenizer.get_vocab()
    shape = transformers_config(config.model, len(vocabulary), vocabulary["[PAD]"])
    BertForPreTraining(BertConfig(**shape)).save_pretrained(folder)


def plain_trial(encoder: Path, data: Path, work: dict[str, Any]) -> float:
    """One trial with nothing shared: reads, tokenises, loads, trains, and judges as often; answers the last score.

    Args:
        encoder: Its folder.
        data: NSMC's folder.
        work: "choice" of settings, "rows" to train on, and the "parts" of epochs after which it is judged, the last of
            which are "epochs".
    """
    torch.set_num_threads(1)
    quiet()
    tokenizer, task, choice = load_tokenizer(encoder), tasks.task("nsmc"), work["choice"]
    draw = Draw(work["rows"], SEED, work["rows"] // 5)
    training, validation = read_drawn(
        task, data, tokenizer, draw, max_tokens=choice["max_tokens"], validation=HELD_OUT
    )  # fmt: skip
    settings = {name: value for name, value in choice.items() if name not in ("model", "max_tokens")}
    model = load_classifier(encoder, task.labels, choice["dropout"], SEED)
    fitting = Fitting(model, training, tokenizer.pad, Settings(seed=SEED, **settings))
    score, done, parts = 0.0, 0, round(work["parts"][-1] / work["epochs"])
    for end in work["parts"]:
        epoch = done // parts
        fitting.epoch(epoch + 1, part=(done - epoch * parts, end - epoch * parts, parts))
        score = METRICS[task.metric].score(predicted(model, validation, tokenizer.pad), validation, task.labels)
        done = end
    return score


def _process(arguments: list[str]) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode == 2:
        raise UsageError(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise WorldError(f"{' '.join(arguments[:2])}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


if __name__ == "__main__":
    print(plain_trial(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])))
