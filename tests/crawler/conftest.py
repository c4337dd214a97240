"""A small site, and crawls of it by real processes into a real database."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from crawler.newsroom.articles import NewsArticle, printed
from korbert import recipes
from korbert.chain import Workspace
from korbert.config import CrawlConfig

SOURCE = "newsroom-test"
PRESSES, SECTIONS = ("한빛일보", "누리경제", "가온방송"), ("사회", "경제", "문화")


def records(count: int) -> list[dict[str, Any]]:
    """Articles of both layouts, over four months; every one mentions 시민, every third 경제."""
    days = ("2019-11-{:02d}", "2019-12-{:02d}", "2020-01-{:02d}", "2020-02-{:02d}")
    return [
        {
            "id": f"news/{i:04d}",
            "press": PRESSES[i % 3],
            "section": SECTIONS[i % 3],
            "date": days[i % 4].format(1 + i % 28) + f"T{i % 24:02d}:{i % 60:02d}:{i % 60:02d}+09:00",
            "title": f'{i}번째 소식 <속보> 값이 "오르고" & 내렸다',
            "text": f"(서울=누리) 김하늘 기자 = {i}번째 시민 소식.\n{'경제가 어렵다.' if i % 3 == 0 else '맑다.'}\n끝.",
        }
        for i in range(count)
    ]


@pytest.fixture
def articles() -> tuple[NewsArticle, ...]:
    """48 articles, 12 in each of four months."""
    return tuple(printed(records(48), "fixture"))


@dataclass
class Crawls:
    """Starts crawler processes on one workspace and one database."""

    workspace: Path
    database_url: str
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, **fields: Any) -> None:
        """Writes the run's config: quick and narrow, but for what is named."""
        crawl = CrawlConfig(
            queries=("경제",), since="2019-11", until="2020-02", page_size=10, delay=0.0, retries=1, lease_seconds=60
        )
        Workspace(self.workspace).save(replace(recipes.tiny(), crawl=replace(crawl, **fields)))

    def start(self, root: str, *arguments: str) -> "subprocess.Popen[str]":
        """Begins a crawl of the site at `root`, with further arguments."""
        command = [sys.executable, "-m", "crawler", "crawl", "--workspace", str(self.workspace), "--base-url", root]
        return subprocess.Popen(
            [*command, "--source-name", SOURCE, *arguments],
            env={**os.environ, "DATABASE_URL": self.database_url, **self.environment},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, root: str, *arguments: str) -> "Ended":
        """A whole crawl."""
        return ended(self.start(root, *arguments))


@dataclass(frozen=True)
class Ended:
    """A process's end."""

    code: int
    out: str
    err: str


def ended(process: "subprocess.Popen[str]") -> Ended:
    """Waits for a process."""
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)


@pytest.fixture
def crawls_in(tmp_path: Path) -> Callable[[str], Crawls]:
    """Makes crawls with the quick configuration into the database at an address."""

    def make(url: str) -> Crawls:
        made = Crawls(tmp_path / "workspace", url)
        made.configure()
        return made

    return make


@pytest.fixture
def crawls(crawls_in: Callable[[str], Crawls], database_url: str) -> Crawls:
    """Crawls with the quick configuration into this test's database."""
    return crawls_in(database_url)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits for something to become true."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.02)

    return wait


@pytest.fixture
def newsroom_process(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts newsrooms as processes, and ends them with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "crawler", "newsroom", *arguments]
        process = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture
def articles_file(tmp_path: Path) -> Path:
    """The fixture's articles as a file."""
    path = tmp_path / "articles.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records(48)))
    return path
