"""A report of benchmarks as one HTML file: it asks nothing of the network, and its one script only sorts tables."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

from korbert.benchmarks.blocks import Block, Cell, Heading, Item, Listing, Paragraph, Piece, Table
from korbert.report import style
from korbert.report.benchmarks_text import BOLD, marked
from korbert.report.markup import Markup, joined, tag
from korbert.report.ranking import Ranking, svg
from korbert.report.tables import card, figure, fold

SHOWN_OPEN = 5
"""Items of a listing that are there without a click."""
CHART = "Orange: ours, small dots its seeds, the band one standard deviation; blue: published."

SORT = """
for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => {
  const head = button.parentElement, body = head.closest("table").tBodies[0], at = head.cellIndex;
  const down = head.getAttribute("aria-sort") !== "descending";
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => { const v = row.cells[at].dataset.v; return v === undefined ? null : Number(v); };
  const words = row => row.cells[at].textContent;
  body.append(...[...body.rows].sort((a, b) => {
    const x = key(a), y = key(b);
    if (x === null && y === null) return (down ? -1 : 1) * words(b).localeCompare(words(a)) * -1;
    if (x === null || y === null) return x === null ? 1 : -1;
    return down ? y - x : x - y;
  }));
});
"""
_SHEET = """
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-align:inherit}
th button::after{content:" \\2195";opacity:.45}
th[aria-sort=descending] button::after{content:" \\2193";opacity:1}
th[aria-sort=ascending] button::after{content:" \\2191";opacity:1}
.above{color:var(--soft);font-size:13px;margin:0 0 8px}
thead th,thead th.n{white-space:normal;vertical-align:bottom}
tbody th{position:sticky;left:0;background:var(--card);white-space:normal;min-width:9ch}
td small,th small{display:block;color:var(--soft);font-size:11.5px;white-space:normal;font-weight:400;min-width:13ch}
td.w{white-space:normal;min-width:14ch}
tr.ours>*{background:var(--trough);font-weight:560}
tr.ours>th{color:var(--accent)}
td u{text-underline-offset:3px}
.items{margin:0;padding:0;list-style:none}
.items>li{padding:10px 0;border-bottom:1px solid var(--line)}
.items>li:last-child{border-bottom:0}
.items dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 12px;margin:4px 0 0;font-size:14px}
.items dt{color:var(--soft)}
.items dd{margin:0;word-break:break-word}
mark{background:var(--trough);color:inherit;border-bottom:2px solid var(--accent);padding:0 2px}
mark sub{font-size:10.5px;color:var(--accent);margin-left:2px}
@media (max-width:760px){th,td{padding-right:9px}table{font-size:13px}tbody th{font-size:13px}}
"""


def render(
    blocks: Sequence[Block], charts: Sequence[Ranking], *, written: str, version: str, beside: Sequence[str] = ()
) -> str:
    """The page's HTML; `beside` are the names of the files that lie beside it."""
    digest = base64.b64encode(hashlib.sha256(SORT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; "
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy + "form-action 'none'"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content=f"korbert {version}"),
        tag("title", "korbert benchmarks"),
        tag("style", Markup(style.sheet() + _SHEET)),
    )
    lead = tag("p", f"Written {written} by korbert {version}. A click on a column's head sorts by it.", class_="lead")
    header = tag("header", tag("h1", "Benchmarks"), lead, _navigation(blocks, charts))
    body = tag("body", header, tag("main", *_parts(blocks, charts)), _footer(beside), tag("script", Markup(SORT)))
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en") + "\n"


def _navigation(blocks: Sequence[Block], charts: Sequence[Ranking]) -> Markup:
    names = [block.text for block in blocks if isinstance(block, Heading) and block.level == 2]
    shown = [*names[:1], "Charts", *names[1:]] if charts else names
    return tag("nav", *(tag("a", name, href=f"#{_identity(name)}") for name in shown), aria_label="Sections")


def _parts(blocks: Sequence[Block], charts: Sequence[Ranking]) -> list[Markup]:
    """The blocks in their order, the charts before the second heading."""
    parts: list[Markup] = []
    headings = 0
    for block in blocks:
        headings += isinstance(block, Heading) and block.level == 2
        if headings == 2 and charts and isinstance(block, Heading):
            parts.append(_charts(charts))
            charts = ()
        parts.append(_block(block))
    return [*parts, _charts(charts)] if charts else parts


def _charts(charts: Sequence[Ranking]) -> Markup:
    drawings = [figure(f"{chart.title}, score × 100", svg(chart), CHART) for chart in charts]
    return joined(tag("h2", "Charts", id="charts"), tag("div", *drawings, class_="grid"))


def _block(block: Block) -> Markup:
    if isinstance(block, Heading):
        return tag(f"h{block.level}", block.text, id=_identity(block.text))
    if isinstance(block, Paragraph):
        return tag("p", block.text, class_="soft")
    return card(_table(block)) if isinstance(block, Table) else card(_listing(block))


def _table(table: Table) -> Markup:
    caption = table.caption.rstrip(".") + "." + (f" {BOLD}" if marked(table) else "")
    figures = {place for row in table.rows for place, cell in enumerate(row) if cell.value is not None}
    head = [
        tag("th", tag("button", title, type="button"), scope="col", class_="n" if place in figures else None)
        for place, title in enumerate(table.head)
    ]
    rows = [
        tag("tr", *_cells(row, table.words), class_="ours" if number in table.ours else None)
        for number, row in enumerate(table.rows)
    ]
    whole = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), aria_label=table.caption)
    # Outside of the box that scrolls: on a phone a table's own caption is as wide as the table.
    box = tag("div", whole, class_="scroll", tabindex=0, role="region", aria_label=table.caption)
    return joined(tag("p", caption, class_="above"), box)


def _cells(row: Sequence[Cell], words: int) -> list[Markup]:
    cells = []
    for place, cell in enumerate(row):
        shown = _linked(cell.text) if cell.text.startswith("https://") else _shown(cell)
        note = tag("small", cell.note) if cell.note else None
        # Running text may break into lines; figures, and dashes in their stead, not.
        side = "w" if place < words or (len(cell.text) > 12 and cell.value is None) else "n"
        look = {"scope": "row"} if place == 0 else {"class_": side}
        cells.append(tag("th" if place == 0 else "td", shown, note, data_v=cell.value, **look))
    return cells


def _shown(cell: Cell) -> object:
    name = {"best": "b", "second": "u"}.get(cell.mark)
    return tag(name, cell.text) if name else cell.text


def _linked(text: str) -> Markup:
    """The addresses in a source, as links."""
    return joined(*(
        tag("a", part, href=part) if part.startswith("https://") else part
        for part in re.split(r"(https://[^\s,]+)", text)
    ))  # fmt: skip


def _listing(listing: Listing) -> Markup:
    title = tag("h3", f"{listing.title} ({len(listing.items)} of {listing.of:,})")
    first, rest = listing.items[:SHOWN_OPEN], listing.items[SHOWN_OPEN:]
    more = fold(f"{len(rest)} more", _items(rest)) if rest else None
    return joined(title, _items(first), more)


def _items(items: Sequence[Item]) -> Markup:
    return tag("ol", *(tag("li", tag("b", item.title), _lines(item)) for item in items), class_="items")


def _lines(item: Item) -> Markup:
    return tag("dl", *(joined(tag("dt", name), tag("dd", *map(_piece, pieces))) for name, pieces in item.lines))


def _piece(piece: Piece) -> object:
    return tag("mark", piece.text, tag("sub", piece.tag)) if piece.tag else piece.text


def _footer(beside: Sequence[str]) -> Markup:
    links = joined(*(joined(" ", tag("a", name, href=name)) for name in beside))
    return tag("footer", tag("div", "Beside this page:", links)) if beside else tag("footer")


def _identity(words: str) -> str:
    return re.sub(r"\W+", "-", words.lower()).strip("-")
