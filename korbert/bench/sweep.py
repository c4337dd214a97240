"""A sweep beside the same trials with nothing shared: a new process each loads the encoder and tokenises its texts.

Ours is `python -m tune`, start and end of Ray included. The peer then runs what ours has just run, no trial more and no
step more, judged as often, with as many processes at once; it tokenises the rows that it uses and no other, and is
spared the search and the early stops' decisions. It is a sweep of Ray Tune's as its guides have it, or (the harder
peer) bare processes, which survive neither a lost trial nor a lost driver.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from korbert.bench.measure import Measurement, alternate_rates, machine, versions
from korbert.bench.plain_sweep import HELD_OUT, SEED, Work
from korbert.benchmarks.classifier import quiet
from korbert.chain import shipped_nsmc
from korbert.config import Config, TokenizerConfig
from korbert.errors import UsageError, WorldError
from korbert.storage import read_json
from korbert.tasks import nsmc

TRIALS, ROWS, EPOCHS, CONCURRENT, MAX_TOKENS = 16, 500, 3, 2, 64
PEERS = ("ray tune", "a process each")
VOCABULARY = 2_000


def measure(
    config: Config, rounds: int, trials: int, model: Path | None = None, rows: int = 0, against: str = PEERS[0]
) -> Measurement:
    """Sweeps an encoder over NSMC: the files that finetune.data names, or the reviews that ship.

    Args:
        config: The recipe, for the shape of an encoder that is not trained, and for finetune.data.
        rounds: Counted ones.
        trials: Of each sweep.
        model: The encoder's folder; None: one of the recipe's shape, not trained.
        rows: Training rows of a trial, and a fifth as many to judge it by; 0: the benchmark's own.
        against: One of `PEERS`.

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
        peer = dict(zip(PEERS, (sides.under_ray, sides.in_processes), strict=True))[against]
        rates = alternate_rates(sides.ours, peer, rounds)
    return Measurement(
        name="sweep",
        peer_name=against,
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
        self.scores: list[list[float]] = []
        """The peer's last ones, by round."""

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

    def under_ray(self) -> float:
        """Trials an hour of the same ones, in a sweep of Ray Tune's that shares nothing."""
        folder = self._folder / f"plain-{len(self.rounds)}"
        return self._rate(lambda: _plain({"works": self.works(), "folder": str(folder), "at_once": CONCURRENT}))

    def in_processes(self) -> float:
        """Trials an hour of the same ones, a process each."""
        with ThreadPoolExecutor(CONCURRENT) as pool:
            return self._rate(lambda: list(pool.map(_plain, self.works())))

    def works(self) -> list[Work]:
        """What our last round has run."""
        return [
            {
                "encoder": str(self._encoder),
                "data": str(self._data),
                "choice": trial["config"],
                "rows": self.rows,
                "parts": [epoch["parts"] for epoch in trial["epochs"]],
                "epochs": trial["epochs"][-1]["epoch"],
            }
            for trial in self.rounds[-1]
        ]

    def _rate(self, peer: Callable[[], list[float]]) -> float:
        started = time.monotonic()
        self.scores.append(peer())
        self.peer_seconds.append(time.monotonic() - started)
        return len(self.rounds[-1]) * 3600 / self.peer_seconds[-1]


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


def _plain(given: dict[str, Any]) -> Any:
    return json.loads(_process(["-m", "korbert.bench.plain_sweep", json.dumps(given)]))


def _process(arguments: list[str]) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode == 2:
        raise UsageError(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise WorldError(f"{' '.join(arguments[:2])}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout
