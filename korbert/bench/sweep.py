"""A sweep beside the same trials done plainly: a new process each, which loads the encoder and tokenises its texts.

Ours is `python -m tune`, start and end of Ray included. The peer then runs what ours has just run, no trial more and no
epoch more, with as many processes at once; it is spared Ray, the search and the early stops' decisions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from korbert import tasks
from korbert.bench.measure import Measurement, alternate_rates, machine, versions
from korbert.benchmarks.classifier import load_classifier, predicted, quiet
from korbert.benchmarks.fitting import Fitting, Settings
from korbert.benchmarks.material import read_material
from korbert.benchmarks.metrics import METRICS
from korbert.benchmarks.tokens import load_tokenizer
from korbert.chain import shipped_nsmc
from korbert.config import Config
from korbert.errors import UsageError, WorldError
from korbert.storage import read_json
from korbert.tasks import nsmc

TRIALS, EPOCHS, CONCURRENT, MAX_TOKENS = 12, 2, 2, 64
HELD_OUT = 0.1
VOCABULARY = 2_000


def measure(config: Config, rounds: int, trials: int) -> Measurement:
    """Sweeps an encoder of the recipe's shape, not trained, over the reviews that ship.

    Raises:
        WorldError: when a process of either side fails.
    """
    with tempfile.TemporaryDirectory(prefix="korbert-bench-") as name:
        sides = Sides(Path(name), trials)
        make_encoder(config, sides.encoder)
        rates = alternate_rates(sides.ours, sides.naive, rounds)
    return Measurement(
        name="sweep",
        peer_name="a process each",
        unit="epochs an hour",
        ours=rates[0],
        peer=rates[1],
        machine=machine(),
        details={
            "recipe": config.recipe,
            "trials": trials,
            "epochs": [sum(epochs for _, epochs in done) for done in sides.rounds[1:]],
            "at_once": CONCURRENT,
            "training_seconds_at_once": [round(seconds, 1) for seconds in sides.trained[1:]],
            "seconds_of_ours": [round(seconds, 1) for seconds in sides.seconds[1:]],
            "load": round(os.getloadavg()[0], 2),
            **versions("torch", "transformers", "ray"),
        },
    )


class Sides:
    """Both ways to do the same trials; the first round of each is the warm-up."""

    def __init__(self, folder: Path, trials: int) -> None:
        self.encoder = folder / "encoder"
        self._folder, self._trials = folder, trials
        self.rounds: list[list[tuple[dict[str, Any], int]]] = []
        """Settings and epochs of each trial, by round."""
        self.trained: list[float] = []
        """Seconds of training that our trials tell, divided by how many run at once."""
        self.seconds: list[float] = []

    def ours(self) -> float:
        """Epochs an hour of `python -m tune`."""
        output = self._folder / f"sweep-{len(self.rounds)}"
        settings = {
            "finetune.max_tokens": MAX_TOKENS, "tune.epochs": EPOCHS, "tune.concurrent": CONCURRENT,
            "tune.train_limit": 0, "tune.validation_limit": 0, "tune.finalists": 0, "tracking.mode": "disabled",
        }  # fmt: skip
        texts = [text for field, value in settings.items() for text in ("--set", f"{field}={value}")]
        arguments = ["nsmc", "--model", str(self.encoder), "--trials", str(self._trials), "--output", str(output)]
        started = time.monotonic()
        _process(["-m", "tune", *arguments, *texts])
        self.seconds.append(time.monotonic() - started)
        trials = read_json(output / "trials.json")
        self.rounds.append([(trial["config"], len(trial["epochs"])) for trial in trials])
        self.trained.append(sum(trial["seconds"] for trial in trials) / CONCURRENT)
        return self._rate(self.seconds[-1])

    def naive(self) -> float:
        """Epochs an hour of the same trials, a process each."""
        started = time.monotonic()
        with ThreadPoolExecutor(CONCURRENT) as pool:
            commands = [
                ["-m", "korbert.bench.sweep", str(self.encoder), json.dumps(choice), str(epochs)]
                for choice, epochs in self.rounds[-1]
            ]
            list(pool.map(_process, commands))
        return self._rate(time.monotonic() - started)

    def _rate(self, seconds: float) -> float:
        return sum(epochs for _, epochs in self.rounds[-1]) * 3600 / seconds


def make_encoder(config: Config, folder: Path) -> None:
    """Writes an encoder of the config's shape with drawn weights, and a tokenizer of the reviews that ship."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForPreTraining, BertTokenizerFast  # type: ignore[attr-defined]

    from korbert.model.exchange import transformers_config

    quiet()
    folder.mkdir()
    tokenizer = BertWordPieceTokenizer(lowercase=False)
    texts = nsmc.read(shipped_nsmc() / nsmc.TRAIN).texts
    tokenizer.train_from_iterator(texts, vocab_size=VOCABULARY, limit_alphabet=800, show_progress=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    BertTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), do_lower_case=False).save_pretrained(folder)
    torch.manual_seed(config.seed)
    shape = transformers_config(config.model, tokenizer.get_vocab_size(), tokenizer.token_to_id("[PAD]"))
    BertForPreTraining(BertConfig(**shape)).save_pretrained(folder)


def plain_trial(encoder: Path, choice: dict[str, Any], epochs: int) -> float:
    """One trial with nothing shared: reads, tokenises, loads, trains, and judges each epoch; answers the last score."""
    torch.set_num_threads(1)
    quiet()
    tokenizer, task = load_tokenizer(encoder), tasks.task("nsmc")
    material, _ = read_material(
        task, shipped_nsmc(), tokenizer, max_tokens=choice["max_tokens"], validation=HELD_OUT
    )  # fmt: skip
    training, validation = material.training_rows(0, 1), material.validation_rows(0)
    settings = {name: value for name, value in choice.items() if name not in ("model", "max_tokens")}
    model = load_classifier(encoder, task.labels, choice["dropout"], 1)
    fitting = Fitting(model, training, tokenizer.pad, Settings(seed=1, **settings))
    score = 0.0
    for number in range(1, epochs + 1):
        fitting.epoch(number)
        answers = predicted(model, validation, tokenizer.pad)
        score = METRICS[task.metric].score(answers, validation, task.labels)
    return score


def _process(arguments: list[str]) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode == 2:
        raise UsageError(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise WorldError(f"{' '.join(arguments[:2])}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


if __name__ == "__main__":
    print(plain_trial(Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])))
