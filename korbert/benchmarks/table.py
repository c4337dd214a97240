"""Our scores beside the published ones where both are of the same test rows, and apart where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from korbert.benchmarks import published
from korbert.benchmarks.blocks import Block, Cell, Heading, Paragraph, Table, ranked
from korbert.benchmarks.published import COLUMNS, KLUE_TASKS, KLUE_TITLES, SOURCES, Column, Row
from korbert.benchmarks.scored import Measured, Scored

DETAILS = ("model", "task", "metric", "score", "sd", "seeds", "trained on", "chosen on", "tested on", "baseline")
CAPTION = (
    "Scores × 100 on the real test rows; ours: mean ± sample standard deviation over n seeds, the epoch chosen on "
    "validation rows"
)


def blocks(scores: Sequence[Scored]) -> list[Block]:
    """The tables of a report and what must be read with them."""
    beside = [scored for scored in scores if comparable(scored)]
    apart = [scored for scored in scores if not comparable(scored)]
    found: list[Block] = []
    if beside:
        found += [Heading("Beside published scores"), comparison(beside)]
        found += [Paragraph(published.HOW), Paragraph(_sources(published.rows()))]
        found += [Heading("Our scores in full"), details("Each score and what it rests on", beside)]
    if apart:
        found += [Heading("Not comparable with published scores"), _stand_ins(apart)]
    if any(scored.task in KLUE_TASKS for scored in scores):
        found += [
            Heading("KLUE's published baselines, for reference"),
            _klue(),
            Paragraph(_sources(published.klue_rows())),
        ]
        found.append(Paragraph("Their source does not name the split, so no score of ours stands beside them."))
    return [*found, Heading("Licences of the tasks"), licences(scores)]


def comparable(scored: Scored) -> bool:
    """Whether a score may stand beside published ones."""
    return not why_apart(scored)


def why_apart(scored: Scored) -> str:
    """Why a score may not stand beside published ones; empty: it may."""
    columns = [column for column in COLUMNS if column.task == scored.task]
    if scored.remark or not columns:
        return scored.remark or "no published scores of this task on these rows are listed"
    if scored.n_test != columns[0].test_rows:
        return f"tested on {scored.n_test:,} rows, not on the {columns[0].test_rows:,} of the published scores"
    return ""


def comparison(scores: Sequence[Scored]) -> Table:
    """Published rows, then ours; `scores` are comparable."""
    assert all(comparable(scored) for scored in scores)
    models = list(dict.fromkeys(scored.model for scored in scores))
    rows = published.rows()
    columns = [
        ranked([_figure(row, column.title) for row in rows] + [_ours(scores, model, column) for model in models])
        for column in COLUMNS
    ]
    names = [Cell(row.model) for row in rows] + [Cell(model) for model in models]
    sources = [Cell(row.source) for row in rows] + [Cell("ours") for _ in models]
    lines = tuple(zip(names, *columns, sources, strict=True))
    head = ("model", *(column.title for column in COLUMNS), "source")
    return Table(CAPTION, head, lines, frozenset(range(len(rows), len(lines))))


def details(caption: str, scores: Sequence[Scored], *more: tuple[str, Sequence[str]]) -> Table:
    """A row a metric of each score; `more` are columns of words, a cell a score."""
    rows = []
    for number, scored in enumerate(scores):
        for metric, measured in scored.measured.items():
            first = metric == scored.metric
            extra = [Cell(cells[number] if first else "") for _, cells in more]
            rows.append((*_detail(scored, metric, measured, first), *extra))
    return Table(caption, (*DETAILS, *(title for title, _ in more)), tuple(rows), words=3)


def licences(scores: Sequence[Scored]) -> Table:
    """Whose the tasks' rows are, and under which licence."""
    tasks = {scored.task: scored for scored in scores}
    rows = tuple((Cell(task), Cell(one.licence), Cell(one.source)) for task, one in sorted(tasks.items()))
    return Table("To be named wherever rows or scores are quoted", ("task", "licence", "source"), rows, words=3)


def trained_on(scored: Scored, whole: int) -> str:
    """What the cell must say when fewer rows were trained on than there are; held-out rows count as used."""
    used = scored.n_train + scored.n_validation
    return f"{scored.n_train:,} of {whole:,} rows" if used < whole and scored.n_train < whole else ""


def _figure(row: Row, title: str) -> Cell:
    text = row.figures.get(title)
    return Cell("–") if text is None else Cell(text, float(text))


def _ours(scores: Sequence[Scored], model: str, column: Column) -> Cell:
    for scored in scores:
        if (scored.model, scored.task) == (model, column.task) and column.metric in scored.measured:
            measured = scored.measured[column.metric]
            notes = (f"n={scored.seeds}", trained_on(scored, column.train_rows))
            value = round(100 * measured.mean, 2)
            return Cell(_with_spread(measured), value, note=", ".join(note for note in notes if note))
    return Cell("–")


def _with_spread(measured: Measured) -> str:
    spread = "" if measured.std is None else f" ± {100 * measured.std:.2f}"
    return f"{100 * measured.mean:.2f}{spread}"


def _detail(scored: Scored, metric: str, measured: Measured, first: bool) -> tuple[Cell, ...]:
    spread = Cell("–") if measured.std is None else _number(100 * measured.std, 2)
    baseline = replace(_number(100 * scored.baseline, 2), note=scored.baseline_is) if first else Cell("")
    counts = (scored.seeds, scored.n_train, scored.n_validation, scored.n_test)
    return (
        Cell(scored.model), Cell(scored.task), Cell(metric), _number(100 * measured.mean, 2), spread,
        *(_number(count, 0) for count in counts), baseline,
    )  # fmt: skip


def _number(value: float, digits: int) -> Cell:
    return Cell(f"{value:,.{digits}f}", value)


def _stand_ins(scores: Sequence[Scored]) -> Table:
    caption = "Scores × 100 on stand-ins, samples or other divisions: they say nothing against the published rows"
    return details(caption, scores, ("why apart", [why_apart(scored) for scored in scores]))


def _klue() -> Table:
    rows = published.klue_rows()
    columns = [ranked([_figure(row, title) for row in rows]) for title in KLUE_TITLES]
    lines = tuple(zip([Cell(row.model) for row in rows], *columns, [Cell(row.source) for row in rows], strict=True))
    return Table("As published, × 100", ("model", *KLUE_TITLES, "source"), lines)


def _sources(rows: Sequence[Row]) -> str:
    letters = sorted({row.source for row in rows})
    return "Sources. " + " ".join(f"{letter}: {SOURCES[letter]}." for letter in letters)
