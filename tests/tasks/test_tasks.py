"""Tasks are found by their files alone, and each says what a score of it needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import korbert
from korbert import tasks
from korbert.errors import UsageError


def test_the_tasks_are_the_modules_of_the_package() -> None:
    files = {path.stem.replace("_", "-") for path in Path(tasks.__file__).parent.glob("*.py")} - {"--init--"}
    assert set(tasks.names()) == files
    assert {"korsts", "kornli", "klue-nli", "klue-re", "klue-ner", "paws", "question-pair", "korquad"} <= files


def test_a_new_file_is_a_new_task(tmp_path: Path) -> None:
    """A copy of the package with one file more, and nothing else changed."""
    root = Path(korbert.__file__).parent
    package = tmp_path / "korbert"
    package.mkdir()
    for item in root.iterdir():
        if item.name not in ("tasks", "__pycache__"):
            (package / item.name).symlink_to(item)
    shutil.copytree(root / "tasks", package / "tasks")
    copy = (root / "tasks" / "nsmc.py").read_text(encoding="utf-8").replace("ratings_", "stars_")
    (package / "tasks" / "shop_reviews.py").write_text(copy, encoding="utf-8")
    said = subprocess.run(
        [sys.executable, "-c",
         "from korbert.config import FinetuneConfig; from korbert import tasks; from pathlib import Path;"
         "print(FinetuneConfig(task='shop-reviews', data='x').task, tasks.task('shop-reviews').files(Path()))"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "shop-reviews ('stars_train.txt', 'stars_test.txt')\n"


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_names_its_licence_its_source_and_a_metric_that_exists(name: str) -> None:
    from korbert.benchmarks.classifier import HEADS
    from korbert.benchmarks.metrics import METRICS

    task = tasks.task(name)
    assert task.licence
    assert task.source.startswith("https://")
    assert all(metric in METRICS for metric in (task.metric, *task.also))
    assert task.head in HEADS
    assert len(set(task.labels)) == len(task.labels)
    assert task.head != "words" or task.labels[0] == "O"


@pytest.mark.parametrize("name", tasks.names())
def test_a_folder_without_the_files_is_refused_with_their_names(name: str, tmp_path: Path) -> None:
    task = tasks.task(name)
    for read in (task.train, task.test):
        with pytest.raises(UsageError) as refusal:
            read(tmp_path)
        assert "name a folder that holds" in str(refusal.value)
        assert all(file in str(refusal.value) for file in task.files(tmp_path))


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_names_its_files_addresses_or_where_to_get_them(name: str, tmp_path: Path) -> None:
    task = tasks.task(name)
    for download in task.downloads:
        assert download.url.startswith("https://")
        assert download.name in task.files(tmp_path)
        assert (len(download.sha256) == 64 and download.size) or len(download.git_blob) == 40
    assert task.downloads or task.by_hand or task.source


def test_words_are_those_of_a_plain_split() -> None:
    text = " 앞\u3000뒤  끝\xa0말\x1c새\t\n"
    assert [text[begin:end] for begin, end in tasks.words(text)] == text.split()
    assert tasks.words("") == tasks.words("  ") == []
