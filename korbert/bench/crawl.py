"""A whole crawl (fetch, parse, store, ledger) beside raw fetching of the same pages by a plain Scrapy spider.

Both are processes of their own against one newsroom process, in turns; rates are articles a second by their own
clocks, from Scrapy's start to its end, so that starting Python counts for neither. The crawl has more to fetch than
the peer: robots.txt and the list pages that lead to the articles.
"""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from korbert.bench.measure import Measurement, alternate_rates, machine, versions
from korbert.bench.scratch import scratch
from korbert.chain import Workspace
from korbert.config import Config
from korbert.errors import WorldError
from korbert.processes import dies_with_parent

ARTICLES = 3_000
"""Articles a round."""
CONCURRENCY = 16
YEARS = (2018, 2021)
"""Half of the pages are of the layout before 2020."""
WORDS = (
    "시민", "경제", "정부", "서울", "학교", "기업", "바다", "시장", "회의", "계획", "연구", "도로", "오늘", "내일",
    "새로운", "지난해", "밝혔다", "늘었다", "따르면",
)  # fmt: skip
_SENTENCES, _LENGTH = 20, (8, 16)
"""About 950 characters an article; the median of 5,000 real ones is 1,017."""


def measure(config: Config, rounds: int, articles: int = ARTICLES) -> Measurement:
    """Crawls `articles` generated articles in every round, by one process, and by two in rounds of their own.

    Raises:
        WorldError: when a process fails or brings less than all articles.
    """
    with scratch() as (folder, url):
        return _measure(config, rounds, articles, folder, url)


def _measure(config: Config, rounds: int, articles: int, folder: Path, url: str) -> Measurement:
    file, names = folder / "articles.jsonl", (f"bench-{number}" for number in count())
    write_articles(file, articles)
    crawl = replace(config.crawl, queries=(), delay=0.0, concurrency=CONCURRENCY)
    crawl = replace(crawl, since=f"{YEARS[0]}-01", until=f"{YEARS[1]}-12")
    Workspace(folder / "workspace").save(replace(config, crawl=crawl))
    with _newsroom(file) as root:
        site = (folder / "workspace", root, url)
        ours, peer = alternate_rates(
            lambda: _crawl(*site, next(names), articles, 1), lambda: _fetch(file, root, articles), rounds
        )
        two = [_crawl(*site, next(names), articles, 2) for _ in range(rounds)]
    return Measurement(
        name="crawl",
        peer_name="raw fetching",
        unit="articles/s",
        ours=ours,
        peer=peer,
        machine=machine(),
        details={
            "two_processes": round(statistics.median(two), 1),
            "two_processes_gain": round(statistics.median(two) / statistics.median(ours), 2),
            "articles": articles,
            "concurrency": CONCURRENCY,
            "load": round(os.getloadavg()[0], 2),
            **versions("scrapy"),
        },
    )


def write_articles(path: Path, articles: int, seed: int = 1) -> None:
    """Generated articles as the newsroom reads them, the same for the same seed."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for number in range(articles):
            day = f"{rng.randint(*YEARS)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
            lines = [" ".join(rng.choices(WORDS, k=rng.randint(*_LENGTH))) + "." for _ in range(_SENTENCES)]
            record = {"id": f"{number:07d}", "press": "한빛일보", "section": "사회", "date": day}
            record |= {"title": f"{number}번째 소식", "text": "\n".join(lines)}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


@contextmanager
def _newsroom(file: Path) -> Iterator[str]:
    process = _start(["-m", "crawler", "newsroom", "--articles", str(file), "--port", "0"])
    try:
        assert process.stdout is not None
        found = re.match(r"newsroom: (\S+) ", process.stdout.readline())
        if found is None:
            raise WorldError(f"bench crawl: the newsroom did not start: {_last_line(process)}")
        yield found[1]
    finally:
        process.terminate()
        process.communicate()


def _crawl(workspace: Path, root: str, url: str, name: str, articles: int, processes: int) -> float:
    """Articles a second of a crawl under a new name, and so with a new ledger, by so many processes at once."""
    arguments = ["--workspace", str(workspace), "--base-url", root, "--source-name", name, "--json"]
    crawlers = [_start(["-m", "crawler", "crawl", *arguments], DATABASE_URL=url) for _ in range(processes)]
    ends = [_ended(process) for process in crawlers]
    if (stored := sum(int(end["articles"]["new"]) for end in ends)) != articles:
        raise WorldError(f"bench crawl: {stored:,} of {articles:,} articles were stored; see that the machine is well")
    return articles / max(float(end["seconds"]) for end in ends)


def _fetch(file: Path, root: str, articles: int) -> float:
    arguments = ["--articles", str(file), "--base-url", root, "--concurrency", str(CONCURRENCY)]
    return articles / float(_ended(_start(["-m", "crawler.spiders.raw", *arguments]))["seconds"])


def _start(arguments: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_parent,
    )


def _ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON object that a process prints last."""
    out, err = process.communicate()
    if process.returncode != 0:
        raise WorldError(f"bench crawl: a process ended with exit code {process.returncode}: {err.strip()[-300:]}")
    return dict(json.loads(out.splitlines()[-1]))


def _last_line(process: subprocess.Popen[str]) -> str:
    _, err = process.communicate()
    return (err.strip().splitlines() or ["it said nothing"])[-1]
