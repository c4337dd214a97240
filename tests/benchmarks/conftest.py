"""A task that a tiny encoder can learn, and the workspace of a run that has got as far as its export."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from korbert import recipes
from korbert.chain import Workspace
from korbert.config import Config
from korbert.storage import Plan, publishing
from korbert.tasks import ner, nsmc

PRAISE, BLAME = ("재미있다", "감동", "최고"), ("지루하다", "최악", "아깝다")
FILLER = ("영화", "배우", "연출", "음악", "결말", "정말", "그냥", "다시")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Parallel tests share the cores; torch's threads would wait for each other."""
    torch.set_num_threads(1)


def write_reviews(path: Path, rows: int, seed: int) -> None:
    """Reviews in which one word decides the label; three in five are praise."""
    draw = random.Random(seed)
    lines = ["\t".join(nsmc.COLUMNS)]
    for number in range(rows):
        label = int(number % 5 < 3)
        words = [*draw.choices(FILLER, k=draw.randint(1, 9)), draw.choice(PRAISE if label else BLAME)]
        draw.shuffle(words)
        lines.append(f"{number}\t{' '.join(words)}\t{label}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def toy_reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learnable set: 400 training and 150 test rows."""
    folder = tmp_path_factory.mktemp("reviews")
    write_reviews(folder / nsmc.TRAIN, 400, seed=1)
    write_reviews(folder / nsmc.TEST, 150, seed=2)
    return folder


def write_sentences(path: Path, rows: int, seed: int) -> None:
    """Sentences in Naver NER's format in which a word's first syllable says its tag; a name's next word may go on."""
    draw = random.Random(seed)
    lines = []
    for _ in range(rows):
        words, tags = [], []
        for _ in range(draw.randint(2, 6)):
            word, tag = draw.choice([*((word, "O") for word in FILLER), ("감동", "PER-B"), ("서울", "LOC-B")])
            words.append(word)
            tags.append(tag)
            if tag == "PER-B" and draw.random() < 0.5:
                words.append("하나")
                tags.append("PER-I")
        lines.append(" ".join(words) + "\t" + " ".join(tags))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def toy_sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learnable set: 400 training and 100 test sentences."""
    folder = tmp_path_factory.mktemp("sentences")
    write_sentences(folder / ner.TRAIN, 400, seed=1)
    write_sentences(folder / ner.TEST, 100, seed=2)
    return folder


@pytest.fixture
def config(toy_reviews: Path) -> Config:
    """A run that fine-tunes on the toy set."""
    demo = recipes.demo()
    finetune = replace(
        demo.finetune, data=str(toy_reviews), seeds=(1, 2), epochs=3, batch=16, lr=5e-3, max_tokens=32, train_limit=0
    )
    return replace(demo, finetune=finetune)


@pytest.fixture
def workspace(tmp_path: Path, encoder: Path, config: Config) -> Workspace:
    """A workspace whose export is published."""
    made = Workspace(tmp_path / "run")
    made.save(config)
    with publishing(Plan("export", made.path("export"), 1, {}, {})) as draft:
        shutil.copytree(encoder, draft.path, dirs_exist_ok=True)
    return made
