"""Fine-tuned models of every head: a tiny encoder on tasks small enough to be learned while one waits."""

import json
import random
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from korbert.benchmarks import finetune
from korbert.benchmarks.classifier import HEADS, quiet
from korbert.config import Config
from korbert.use.answers import answered
from korbert.use.loading import Usable, load

PRAISE, BLAME = ("재미있다", "감동", "최고"), ("지루하다", "최악", "아깝다")
FILLER = ("영화", "배우", "연출", "음악", "결말", "정말", "그냥", "다시")
NAMES = {"감동": "PER", "최고": "LOC"}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Parallel tests share the cores; torch's threads would wait for each other."""
    torch.set_num_threads(1)


def sentences(rows: int, seed: int, longest: int = 9) -> list[list[str]]:
    """Rows of words, every second one with praise in it, the others with blame."""
    draw = random.Random(seed)
    made = []
    for number in range(rows):
        words = [*draw.choices(FILLER, k=draw.randint(1, longest)), draw.choice(PRAISE if number % 2 else BLAME)]
        draw.shuffle(words)
        made.append(words)
    return made


def shuffled(rows: int, seed: int) -> list[list[str]]:
    """Other rows, praise and blame in no order."""
    made = sentences(rows, seed + 100)
    random.Random(seed).shuffle(made)
    return made


def _jsonl(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _praised(words: list[str]) -> bool:
    return bool(set(words) & set(PRAISE))


def _write(folder: Path, name: str, rows: int, seed: int) -> None:
    made = sentences(rows, seed)
    if name == "sentence":
        label = ("나쁨", "좋음")
        _jsonl(folder, [{"text": " ".join(words), "label": label[_praised(words)]} for words in made])
    elif name == "pair":
        both = zip(made, shuffled(rows, seed), strict=True)
        _jsonl(
            folder,
            [{"text": " ".join(a), "text2": " ".join(b), "label": f"{_praised(a) == _praised(b)}"} for a, b in both],
        )
    elif name == "tags":
        tagged = [[f"{NAMES[word]}-B" if word in NAMES else "O" for word in words] for words in made]
        _jsonl(folder, [{"words": words, "tags": tags} for words, tags in zip(made, tagged, strict=True)])


def _write_klue_ner(path: Path, rows: int, seed: int) -> None:
    lines = []
    for words in sentences(rows, seed):
        for word in words:
            kind = {"PER": "PS", "LOC": "LC"}.get(NAMES.get(word, ""), "")
            lines += [f"{c}\t{('I-' if n else 'B-') + kind if kind else 'O'}" for n, c in enumerate(word)] + [" \tO"]
        lines[-1] = ""
    path.write_text("\n".join(lines), encoding="utf-8")


def _write_korsts(path: Path, rows: int, seed: int) -> None:
    lines = ["genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2"]
    for number, (a, b) in enumerate(zip(sentences(rows, seed), shuffled(rows, seed), strict=True)):
        lines.append(f"g\tf\t2020\t{number}\t{5.0 * (_praised(a) == _praised(b))}\t{' '.join(a)}\t{' '.join(b)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_span(path: Path, rows: int, seed: int) -> None:
    paragraphs = []
    for number, words in enumerate(sentences(rows, seed, longest=40)):
        context, answer = " ".join(words), next(word for word in words if word in PRAISE + BLAME)
        given = {"text": answer, "answer_start": context.index(answer)}
        paragraphs.append(
            {"context": context, "qas": [{"id": f"q{number}", "question": "정말 영화", "answers": [given]}]}
        )
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}, ensure_ascii=False))


def write_task(folder: Path, name: str) -> None:
    """The files of a task: 240 rows to train on, 40 to test on."""
    folder.mkdir()
    for split, rows, seed in (("train", 240, 1), ("test", 40, 2)):
        if name == "klue-ner":
            _write_klue_ner(folder / f"klue-ner-v1.1_{'dev' if split == 'test' else split}.tsv", rows, seed)
        elif name == "span":
            _write_span(folder / f"{split}.json", rows, seed)
        elif name == "korsts":
            _write_korsts(folder / f"sts-{split}.tsv", rows, seed)
            _write_korsts(folder / "sts-dev.tsv", 20, 5)
        else:
            _write(folder / f"{split}.jsonl", name, rows, seed)


class Tuned:
    """Artefacts by task, each made when it is first asked for."""

    def __init__(self, root: Path, encoder: Path) -> None:
        self._root, self._encoder = root, encoder

    def data(self, name: str) -> Path:
        """The folder of the task's files."""
        folder = self._root / f"data-{name}"
        if not folder.exists():
            write_task(folder, name)
        return folder

    def artefact(self, name: str) -> Path:
        """The finetune artefact."""
        place = self._root / name
        section = replace(
            Config(recipe="use").finetune, task=name, data=str(self.data(name)), seeds=(1,), epochs=4, batch=8, lr=5e-3,
            max_tokens=32, stride=8, dropout=0.0,
        )  # fmt: skip
        finetune.score(replace(Config(recipe="use"), finetune=section), self._encoder, place)
        return place

    def model(self, name: str) -> Usable:
        """The artefact's model, loaded."""
        return load(self.artefact(name))


SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 64, "pad_token_id": 0, "initializer_range": 0.2,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {},
    "albert": {"embedding_size": 16},
    "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 8, "cls_token_id": 2, "sep_token_id": 3,
                   "eos_token_id": 3, "bos_token_id": 2},
}  # fmt: skip


def drawn_model(encoder: Path, folder: Path, family: str, head: str) -> Usable:
    """A folder with a model of the family, not trained but drawn wide, and our tokenizer."""
    quiet()
    shutil.copytree(encoder, folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json"))
    vocabulary = AutoConfig.from_pretrained(encoder).vocab_size
    labels = 2 if head == "span" else 3
    config = AutoConfig.for_model(family, vocab_size=vocabulary, num_labels=labels, **SMALL | FAMILIES[family])
    torch.manual_seed(0)
    HEADS[head].from_config(config).save_pretrained(folder)
    return load(folder)


class Gate:
    """Holds the models' threads until it is opened; then they answer as ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        self.batches: list[int] = []

        def held(*given: Any) -> Any:
            self.batches.append(len(given[1]))
            self.reached.set()
            self.open.wait(60)
            return answered(*given)

        monkeypatch.setattr("korbert.use.asking.answered", held)


@pytest.fixture(scope="session")
def tuned(tmp_path_factory: pytest.TempPathFactory, encoder: Path) -> Iterator[Tuned]:
    """Models of every head."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # fine-tuning takes every core otherwise
        yield Tuned(tmp_path_factory.mktemp("tuned"), encoder)
