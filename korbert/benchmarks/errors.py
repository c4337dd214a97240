"""Where a model is wrong: measures by label, and the rows that are worth reading.

Everything comes from the predictions that scoring has kept; no model is asked and no test row touched again.
"""

from __future__ import annotations

from collections.abc import Sequence

from korbert import tasks
from korbert.benchmarks import error_spans, error_tags
from korbert.benchmarks.blocks import Block, Cell, Heading, Item, Paragraph, Piece, Table, plain
from korbert.benchmarks.listings import Entry, measures, two_listings
from korbert.benchmarks.scored import Scored

MATRIX_LABELS = 12
"""With more labels the confusions are listed, not laid out as a matrix."""
LISTED_CONFUSIONS = 20


def blocks(scored: Scored, count: int, split: str) -> list[Block]:
    """Measures of the test rows and `count` errors of each kind among the rows of `split`.

    Raises:
        UsageError: when the artefact holds no predictions.
    """
    test, rows = scored.predictions("test"), scored.predictions(split)
    head = Heading(f"{scored.model}: errors on {scored.task}")
    if not test or not rows:
        return [head, Paragraph("No predictions were kept.")]
    listed = "validation rows" if split == "validation" else "test rows; they are for reading, not to choose by"
    lead = f"Of the seed that was best on validation rows (seed {scored.best['seed']})."
    return [head, Paragraph(f"{lead} Measures: all test rows. Listed: {listed}."), *_parts(scored, test, rows, count)]


def _parts(scored: Scored, test: Sequence[Entry], rows: Sequence[Entry], count: int) -> list[Block]:
    kind = _kind(test[0])
    if kind == "span":
        return error_spans.blocks(test, rows, scored.best.get("by_question_length") or [], count)
    if kind == "tags":
        return error_tags.blocks(test, rows, characters=_head(scored.task) == "characters", count=count)
    if kind == "score":
        return [_by_range(test), *_score_listings(rows, count)]
    labels = _labels(scored.task, test)
    return [*_confusions(test, labels), _by_class(test, labels), *_label_listings(rows, count)]


def confusion(entries: Sequence[Entry], labels: Sequence[str]) -> list[list[int]]:
    """Rows of `labels`: how many of a gold label were predicted as each."""
    place = {label: number for number, label in enumerate(labels)}
    counts = [[0] * len(labels) for _ in labels]
    for entry in entries:
        counts[place[entry["gold"]]][place[entry["predicted"]]] += 1
    return counts


def _kind(entry: Entry) -> str:
    if "right" in entry:
        return "span"
    if isinstance(entry["gold"], list):
        return "tags"
    return "label" if "probability" in entry else "score"


def _head(task: str) -> str:
    return tasks.task(task).head if task in tasks.names() else ""


def _labels(task: str, entries: Sequence[Entry]) -> list[str]:
    """The task's labels in its order; of data of one's own those that occur."""
    occur = {entry[side] for entry in entries for side in ("gold", "predicted")}
    known = tasks.task(task).labels if task in tasks.names() else ()
    return list(known) if occur <= set(known) else sorted(occur)


def _confusions(entries: Sequence[Entry], labels: Sequence[str]) -> list[Block]:
    counts = confusion(entries, labels)
    if len(labels) > MATRIX_LABELS:
        return [_commonest_confusions(counts, labels)]
    rows = []
    for label, line in zip(labels, counts, strict=True):
        whole = sum(line)
        cells = [Cell(f"{n:,}", n, note=f"{100 * n / whole:.1f} %" if whole else "") for n in line]
        rows.append((Cell(label), *cells, Cell(f"{whole:,}", whole)))
    head = ("gold \\ predicted", *labels, "rows")
    return [
        Table("Confusion matrix: rows of each gold label by what was predicted, and their share", head, tuple(rows))
    ]


def _commonest_confusions(counts: list[list[int]], labels: Sequence[str]) -> Table:
    pairs = [
        (n, gold, predicted, sum(line))
        for gold, line in zip(labels, counts, strict=True)
        for predicted, n in zip(labels, line, strict=True)
        if n and gold != predicted
    ]
    pairs.sort(key=lambda pair: -pair[0])
    rows = tuple(
        (Cell(gold), Cell(predicted), Cell(f"{n:,}", n), Cell(f"{100 * n / whole:.1f} %", n / whole))
        for n, gold, predicted, whole in pairs[:LISTED_CONFUSIONS]
    )
    return Table("The commonest confusions", ("gold", "predicted", "rows", "of the gold label's"), rows, words=2)


def _by_class(entries: Sequence[Entry], labels: Sequence[str]) -> Table:
    counts = confusion(entries, labels)
    rows = []
    for number, label in enumerate(labels):
        gold, predicted = sum(counts[number]), sum(line[number] for line in counts)
        scores = measures(counts[number][number], gold, predicted)
        rows.append((Cell(label), *(Cell(f"{100 * s:.2f}", s) for s in scores), Cell(f"{gold:,}", gold)))
    return Table("By label, × 100", ("label", "precision", "recall", "F1", "rows"), tuple(rows))


def _by_range(entries: Sequence[Entry]) -> Table:
    """A score's errors by the whole points of the gold score."""
    groups: dict[int, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(int(entry["gold"] // 1), []).append(entry)
    rows = []
    for low, group in sorted(groups.items()):
        means = [sum(entry[side] for entry in group) / len(group) for side in ("gold", "predicted")]
        off = sum(_off(entry) for entry in group) / len(group)
        cells = (Cell(f"{value:.2f}", value) for value in (*means, off))
        rows.append((Cell(f"{low} to below {low + 1}", low), Cell(f"{len(group):,}", len(group)), *cells))
    head = ("gold score", "rows", "mean gold", "mean predicted", "mean distance")
    return Table("By gold score", head, tuple(rows))


def _off(entry: Entry) -> float:
    return abs(float(entry["gold"]) - float(entry["predicted"]))


def _label_listings(entries: Sequence[Entry], count: int) -> list[Block]:
    wrong = [entry for entry in entries if entry["gold"] != entry["predicted"]]
    wrong.sort(key=lambda entry: -entry["probability"])
    titles = ("Most confident and wrong", "Wrong, drawn at random")
    return two_listings(titles, wrong, count, _label_item)


def _score_listings(entries: Sequence[Entry], count: int) -> list[Block]:
    farthest = sorted(entries, key=lambda entry: -_off(entry))
    return two_listings(("Farthest off", "Drawn at random"), farthest, count, _score_item)


def _label_item(entry: Entry) -> Item:
    title = (
        f"row {entry['row']}: gold {entry['gold']}, predicted {entry['predicted']} with {entry['probability']:.3f} "
        f"(gold had {entry['gold_probability']:.3f})"
    )
    return Item(title, _texts(entry))


def _score_item(entry: Entry) -> Item:
    title = f"row {entry['row']}: gold {entry['gold']:.2f}, predicted {entry['predicted']:.2f}"
    return Item(title, _texts(entry))


def _texts(entry: Entry) -> tuple[tuple[str, tuple[Piece, ...]], ...]:
    if "text2" not in entry:
        return (("text", plain(entry["text"])),)
    return (("first", plain(entry["text"])), ("second", plain(entry["text2"])))
