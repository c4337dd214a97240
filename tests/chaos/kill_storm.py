"""A crawl in a storm: `kill -9` of crawlers, Postgres killed and restarted, and in the end nothing may be missing.

    python tests/chaos/kill_storm.py --articles 20000 --processes 3 --rounds 10 --seed 1

A newsroom of generated articles is crawled by several processes into a Postgres of its own. Whenever the crawl has
stored another share of the articles, a round strikes: one crawler dies at least, and in every third round Postgres,
by SIGKILL or by a fast shutdown, goes under all of them. Crawlers that ended are started again, as a job controller
would. The verdict compares the database with the newsroom's file: the ids, the hash of every text, one row and one
revision an article, and a ledger in which every slice is done. What strikes when follows from the seed, but processes
race, so that no two storms are alike.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from psycopg2.errors import UndefinedTable

from crawler.newsroom.articles import load
from korbert import recipes
from korbert.bench.scratch import scratch
from korbert.chain import Workspace
from korbert.db.connection import connect, transaction
from korbert.db.embedded import database
from korbert.errors import WorldError
from korbert.processes import dies_with_parent
from korbert.progress import meter

ROOT = Path(__file__).parents[2]
SOURCE = "storm"
YEARS = (2017, 2018, 2019, 2020)
"""The layouts of the pages change in 2020."""
PATIENCE = 900.0
"""Seconds without a new article after which the storm counts as stuck."""
CLEAN = (0, 1, -signal.SIGKILL)
"""How a crawler may end in a storm: done, its database lost, killed."""
RARE = 40
"""Every so many articles hold the word that is searched for: fewer than the search API's reach."""


@dataclass
class Storm:
    """What a storm is made of, and what has happened in it."""

    articles: int
    processes: int
    rounds: int
    seed: int
    kills: int = 0
    restarts: Counter[str] = field(default_factory=Counter)
    """Ends of Postgres, by signal."""
    starts: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    """How crawlers ended, by exit code."""
    complaints: list[str] = field(default_factory=list)
    """Last words of crawlers that ended as none may."""


def write_articles(path: Path, count: int, seed: int) -> None:
    """A file of `count` articles over four years, both layouts among them, every text another."""
    rng = random.Random(seed)
    words = ("시민", "경제", "정부", "서울", "학교", "기업", "바다", "시장", "회의", "계획", "연구", "도로")
    with path.open("w", encoding="utf-8") as file:
        for i in range(count):
            year, month = rng.choice(YEARS), rng.randint(1, 12)
            date = f"{year}-{month:02d}-{rng.randint(1, 28):02d}T{rng.randrange(24):02d}:00:00+09:00"
            rare = " 희귀어" if i % RARE == 0 else ""
            text = [" ".join(rng.choices(words, k=rng.randint(5, 12))) + f" {i}번.{rare}" for _ in range(4)]
            record = {"id": f"{i:06d}", "press": "한빛일보", "section": "사회", "date": date, "title": f"{i}번째 소식"}
            file.write(json.dumps({**record, "text": "\n".join(text)}, ensure_ascii=False) + "\n")


def run(storm: Storm, folder: Path, url: str) -> list[str]:
    """The whole storm in an empty folder, with the server at `url` of which `folder/home` is the home.

    Answers what is wrong in the end, nothing when all is well.
    """
    file, workspace = folder / "articles.jsonl", Workspace(folder / "workspace")
    write_articles(file, storm.articles, storm.seed)
    span = {"since": f"{YEARS[0]}-01", "until": f"{YEARS[-1]}-12"}
    crawl = replace(recipes.tiny().crawl, queries=("희귀어",), delay=0.0, lease_seconds=3600, **span)
    workspace.save(replace(recipes.tiny(), crawl=crawl))
    with _newsroom(file) as root:
        Weather(storm, folder, url, root).rage()
        return verdict(file, url) + storm.complaints


class Weather:
    """The processes in a storm: what is started, what strikes them."""

    def __init__(self, storm: Storm, folder: Path, url: str, root: str) -> None:
        self._storm, self._folder, self._url, self._root = storm, folder, url, root
        self._rng = random.Random(storm.seed + 1)
        self._moments = [(n + self._rng.random()) / (storm.rounds + 1) * storm.articles for n in range(storm.rounds)]
        self._crawlers: list[subprocess.Popen[str]] = []
        self._ended_well = False
        self._stored, self._since = 0, time.monotonic()

    def rage(self) -> None:
        """Keeps the crawlers running and strikes at its moments, until a crawl has ended well after the last."""
        try:
            with meter("storm, articles", self._storm.articles) as progress:
                while self._goes_on():
                    self._look()
                    note = f"{self._storm.kills} killed, {self._storm.restarts.total()} restarts of Postgres"
                    progress.at(self._stored, self._storm.articles, note)
                    if self._moments and self._stored >= self._moments[0]:
                        self._strike()
                    time.sleep(0.05)
        finally:
            for process in self._crawlers:
                process.kill()
                process.communicate()

    def _goes_on(self) -> bool:
        """Collects the crawlers that ended and starts others; False once the last have ended well."""
        for process in self._crawlers:
            if process.poll() is not None:
                self._bury(process)
        self._crawlers = [process for process in self._crawlers if process.returncode is None]
        if self._ended_well and not self._moments:
            return bool(self._crawlers)
        while len(self._crawlers) < self._storm.processes:
            self._crawlers.append(_crawler(self._folder, self._url, self._root))
            self._storm.starts += 1
        return True

    def _bury(self, process: subprocess.Popen[str]) -> None:
        _, err = process.communicate()
        code = process.returncode
        self._storm.ends[code] += 1
        self._ended_well |= code == 0
        if code not in CLEAN or "Traceback" in err:
            self._storm.complaints.append(f"a crawler ended with exit code {code}: {err.strip()[-2000:]}")

    def _look(self) -> None:
        """Counts the stored articles, and starts the database when it is down."""
        try:
            stored = int(str(_rows(self._url, "SELECT count(*) FROM article")[0][0]))
        except UndefinedTable:
            return  # the first look comes before the first crawler has made the tables
        except WorldError:
            # Entering finds a dead server and starts it; the holder outside keeps it running when this one leaves.
            with database(self._folder / "home"):
                return
        if stored > self._stored:
            self._stored, self._since = stored, time.monotonic()
        if time.monotonic() - self._since > PATIENCE:
            raise WorldError(
                f"storm: no article in {PATIENCE:.0f} s; {stored:,} of {self._storm.articles:,} are stored"
            )

    def _strike(self) -> None:
        number = self._storm.rounds - len(self._moments)
        self._moments.pop(0)
        # An end before this strike says nothing about the crawl after it.
        self._ended_well = False
        for process in self._rng.sample(self._crawlers, k=self._rng.randint(1, len(self._crawlers))):
            process.send_signal(signal.SIGKILL)
            self._storm.kills += 1
        if number % 3 == 1:
            order = self._rng.choice((signal.SIGKILL, signal.SIGINT))
            os.kill(_postmaster(self._folder / "home"), order)
            self._storm.restarts[order.name] += 1


def _rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(connect(url)) as connection, transaction(connection) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _postmaster(home: Path) -> int:
    """The process id of the home's server; its data lie beside a card that names them, or in the home."""
    card = home / "postgres.json"
    place = Path(json.loads(card.read_text())["data"]) if card.exists() else home / "postgres"
    return int((place / "data" / "postmaster.pid").read_text().split("\n")[0])


def _crawler(folder: Path, url: str, root: str) -> subprocess.Popen[str]:
    arguments = ["--workspace", str(folder / "workspace"), "--base-url", root, "--source-name", SOURCE]
    return subprocess.Popen(
        [sys.executable, "-m", "crawler", "crawl", *arguments],
        env={**os.environ, "DATABASE_URL": url},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_parent,
    )


@contextlib.contextmanager
def _newsroom(file: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "crawler", "newsroom", "--articles", str(file), "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=dies_with_parent)
    try:
        assert process.stdout is not None
        found = re.match(r"newsroom: (\S+) ", process.stdout.readline())
        if found is None:
            raise WorldError("the newsroom did not start")
        yield found[1]
    finally:
        process.terminate()
        process.communicate()


def verdict(file: Path, url: str) -> list[str]:
    """What of the newsroom's file is missing in the database, wrong, or there twice; and slices that are not done."""
    printed = {article.id: _hash(article.title, article.byline, article.text) for article in load(file)}
    rows = _rows(
        url,
        "SELECT native_id, article_body.revision, title, byline, body, content_sha256 FROM article JOIN article_body "
        f"ON article_id = id WHERE source = '{SOURCE}'",
    )
    stored = {str(row[0]): _hash(str(row[2]), str(row[3]), str(row[4])) for row in rows}
    states = dict(_rows(url, f"SELECT state, count(*) FROM slice WHERE source = '{SOURCE}' GROUP BY state"))
    keys = _rows(url, f"SELECT count(*) FROM article WHERE source = '{SOURCE}'")[0][0]
    faults = {
        "articles missing": len(printed.keys() - stored.keys()),
        "articles nobody printed": len(stored.keys() - printed.keys()),
        "articles that differ": sum(stored[id_] != printed[id_] for id_ in stored.keys() & printed.keys()),
        "texts whose recorded hash is another": sum(stored[str(row[0])] != row[5] for row in rows),
        "rows beyond one an article": len(rows) - len(stored),
        "keys without exactly one text": abs(int(str(keys)) - len(rows)),
        "revisions beyond the first": sum(row[1] != 1 for row in rows),
        "slices not done": sum(int(str(count)) for state, count in states.items() if state != "done"),
    }
    return [f"{count:,} {what}" for what, count in faults.items() if count]


def _hash(title: str, byline: str, text: str) -> str:
    return hashlib.sha256(json.dumps([title, byline, text]).encode()).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description="A crawl under kill -9 of crawlers and restarts of Postgres.")
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    storm, started = Storm(**vars(parser.parse_args())), time.monotonic()
    with scratch("kill-storm-") as (folder, url):
        faults = run(storm, folder, url)
    seconds = time.monotonic() - started
    print(f"{storm.articles:,} articles, {storm.processes} processes, {storm.rounds} rounds, seed {storm.seed}")
    print(f"crawlers: {storm.starts} started, {storm.kills} killed; ends by exit code: {dict(storm.ends)}")
    print(f"Postgres: {storm.restarts.total()} restarts: {dict(storm.restarts)}; {seconds:.0f} s in all")
    print("verdict: " + ("; ".join(faults) or "every article as printed, none twice, every slice done"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
