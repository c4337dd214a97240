"""`korbert benchmarks report`: our scores beside the published ones, and where a model is wrong, in every form."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import korbert
from korbert.benchmarks import errors, published, table
from korbert.benchmarks.blocks import Block
from korbert.benchmarks.scored import SCORES, Scored
from korbert.errors import UsageError, WorldError
from korbert.report import benchmarks_page, benchmarks_text, ranking
from korbert.storage import Plan, digest_file, publishing, read_manifest, write_bytes

FORMATS = ("text", "md", "latex", "html")
FILES = {"text": "benchmarks.txt", "md": "benchmarks.md", "latex": "benchmarks.tex", "html": "index.html"}
DATA, PICTURE = "benchmarks.json", "benchmarks.png"
STAGE = "benchmarks-report"


@dataclass(frozen=True)
class Report:
    """What is reported, before it has a form."""

    scores: tuple[Scored, ...]
    blocks: tuple[Block, ...]
    written: str

    @classmethod
    def of(cls, scores: Sequence[Scored], count: int, split: str, *, now: datetime | None = None) -> Report:
        """The tables, and with a `count` above 0 as many errors of each kind among the rows of `split`.

        Raises:
            UsageError: when errors are asked for and an artefact has no predictions.
        """
        found = table.blocks(scores)
        # The licences close the report.
        listed = [block for scored in scores for block in errors.blocks(scored, count, split)] if count else []
        written = (now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC")
        return cls(tuple(scores), (*found[:-2], *listed, *found[-2:]), written)

    def form(self, name: str, beside: Sequence[str] = ()) -> str:
        """The report in one of FORMATS."""
        if name == "html":
            charts = ranking.rankings(self.scores)
            version = korbert.__version__
            return benchmarks_page.render(self.blocks, charts, written=self.written, version=version, beside=beside)
        forms = {"text": benchmarks_text.text, "md": benchmarks_text.markdown, "latex": benchmarks_text.latex}
        return forms[name](self.blocks)

    def data(self) -> dict[str, Any]:
        """Our scores and the published rows, for programs."""
        return {
            "ours": [_ours(scored) for scored in self.scores],
            "published": [asdict(row) for row in published.rows()],
            "sources": published.SOURCES,
        }


def write(report: Report, output: Path) -> Path:
    """Writes every form, the data and the charts to the folder `output`; answers the page's path.

    The folder appears whole; an older report of benchmarks in its place is replaced whole.

    Raises:
        UsageError: when `output` holds something else.
        WorldError: when the disk fails or is full.
    """
    output = output.absolute()
    _refuse_other_content(output)
    charts = ranking.rankings(report.scores)
    contents = {DATA: json.dumps(report.data(), ensure_ascii=False, indent=1).encode("utf-8", "replace")}
    contents |= {f"chart-{number}.svg": _alone(chart) for number, chart in enumerate(charts, 1)}
    if charts and importlib.util.find_spec("matplotlib") is not None:
        from korbert.report import ranking_png

        contents[PICTURE] = ranking_png.png(charts)
    contents |= {FILES[name]: _bytes(report.form(name)) for name in FORMATS if name != "html"}
    contents[FILES["html"]] = _bytes(report.form("html", sorted(contents)))
    inputs = {f"{scored.model}/{scored.task}": digest_file(scored.folder / SCORES) for scored in report.scores}
    with publishing(Plan(STAGE, output, 1, inputs, {})) as draft:
        for name, content in contents.items():
            write_bytes(draft.path / name, content)
        draft.counts = {"scores": len(report.scores), "charts": len(charts)}
    return output / FILES["html"]


def _alone(chart: ranking.Ranking) -> bytes:
    """A chart as a file of its own, which needs its colours in itself."""
    return _bytes(ranking.alone(chart))


def _bytes(text: str) -> bytes:
    # A lone surrogate of a broken JSON text has no UTF-8 form; it becomes a question mark.
    return text.encode("utf-8", "replace")


def _ours(scored: Scored) -> dict[str, Any]:
    values = {name: value for name, value in asdict(scored).items() if name not in ("folder", "best")}
    return values | {"comparable": table.comparable(scored), "why_apart": table.why_apart(scored)}


def _refuse_other_content(output: Path) -> None:
    """Replacing a folder deletes what it held: only an empty one or an older report may go."""
    if not output.exists() and not output.is_symlink():
        return
    if output.is_symlink() or not output.is_dir():
        raise UsageError(f"--output {output}: is not a folder; name an empty or a new one")
    try:
        manifest = read_manifest(output)
        other = any(output.iterdir()) and (manifest is None or manifest.stage != STAGE)
    except OSError as error:
        raise WorldError(f"--output {output}: {error.strerror}") from error
    if other:
        raise UsageError(f"--output {output}: holds something else; name an empty folder, a new one or an older report")
