"""The memory of one crawler over a long crawl: its resident memory at every tenth of the articles.

python tests/chaos/crawl_memory.py --articles 100000 --seed 1
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

from kill_storm import SOURCE, YEARS, _crawler, _newsroom, _rows, verdict, write_articles

from korbert import recipes
from korbert.bench.scratch import scratch
from korbert.chain import Workspace
from korbert.db.connection import connect
from korbert.db.migrate import migrate


def resident_megabytes(process_id: int) -> int:
    """A child's resident memory (Linux); 0 when it has ended and was not waited for yet."""
    status = Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) // 1024 if found else 0


def measure(articles: int, seed: int, folder: Path, url: str) -> list[str]:
    """Crawls, prints the readings, and answers what is wrong in the end."""
    file = folder / "articles.jsonl"
    write_articles(file, articles, seed)
    span = {"since": f"{YEARS[0]}-01", "until": f"{YEARS[-1]}-12"}
    crawl = replace(recipes.tiny().crawl, queries=(), delay=0.0, **span)
    Workspace(folder / "workspace").save(replace(recipes.tiny(), crawl=crawl))
    with contextlib.closing(connect(url)) as connection:
        migrate(connection)
    started, due = time.monotonic(), 0
    with _newsroom(file) as root, _crawler(folder, url, root) as crawler:
        while crawler.poll() is None:
            time.sleep(0.5)
            stored = int(str(_rows(url, f"SELECT count(*) FROM article WHERE source = '{SOURCE}'")[0][0]))
            if stored >= due and (megabytes := resident_megabytes(crawler.pid)):
                seconds = time.monotonic() - started
                print(f"{stored:>9,} articles  {megabytes:>5} MB  {seconds:>5.0f} s", flush=True)
                due += max(1, articles // 10)
    faults = verdict(file, url)
    return faults if crawler.returncode == 0 else [*faults, f"the crawler ended with {crawler.returncode}"]


def main() -> int:
    parser = argparse.ArgumentParser(description="A crawler's memory over a long crawl.")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with scratch("crawl-memory-") as (folder, url):
        faults = measure(options.articles, options.seed, folder, url)
    print("; ".join(faults) or "every article as printed, none twice, every slice done")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
