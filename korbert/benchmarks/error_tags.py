"""Where entities go wrong: by type, and the sentences in which one was missed, mistyped, cut wrongly or made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from korbert import tasks
from korbert.benchmarks.blocks import Block, Cell, Item, Piece, Table
from korbert.benchmarks.classes import strict_entities
from korbert.benchmarks.entities import Entity, entities
from korbert.benchmarks.listings import Entry, drawn_listing, measures

Read = Callable[[Sequence[str]], list[Entity]]
KINDS = {
    "missed": "Missed: no predicted entity touches it",
    "type": "Wrong type: the same words under another type",
    "border": "Wrong border: a predicted entity touches it, but is not the same words",
    "made up": "Made up: a predicted entity that touches none",
}


def blocks(test: Sequence[Entry], rows: Sequence[Entry], *, characters: bool, count: int) -> list[Block]:
    """Measures by type of the test sentences, and `count` errors of each kind of `rows`."""
    read = _strict if characters else entities
    found: list[Block] = [_by_type(test, read)]
    errors = [(kind, entity, entry) for entry in rows for kind, entity in mistakes(entry, read)]
    for kind, title in KINDS.items():
        items = [_item(entity, entry, read, characters) for name, entity, entry in errors if name == kind]
        if items:
            found.append(drawn_listing(title, items, count))
    return found


def mistakes(entry: Entry, read: Read = entities) -> list[tuple[str, Entity]]:
    """(a key of KINDS, the entity) of every gold entity that was not found and every predicted one that touches none.

    An entity is judged by what is nearest to right: the same words under another type before a wrong border.
    """
    gold, predicted = read(entry["gold"]), read(entry["predicted"])
    found: list[tuple[str, Entity]] = []
    for entity in gold:
        if entity in predicted:
            continue
        same = any(other[1:] == entity[1:] for other in predicted)
        touched = any(_touch(entity, other) for other in predicted)
        found.append(("type" if same else "border" if touched else "missed", entity))
    made_up = [other for other in predicted if not any(_touch(other, entity) for entity in gold)]
    return found + [("made up", other) for other in made_up]


def marked(entry: Entry, tags: Sequence[str], read: Read, characters: bool) -> tuple[Piece, ...]:
    """The text with the entities of `tags` marked."""
    text = entry["text"]
    places = _characters(text) if characters else tasks.words(text)
    pieces: list[Piece] = []
    done = 0
    for kind, first, last in sorted(read(tags), key=lambda entity: entity[1]):
        begin, end = places[first][0], places[last][1]
        pieces += [Piece(text[done:begin]), Piece(text[begin:end], kind)]
        done = end
    return tuple(piece for piece in [*pieces, Piece(text[done:])] if piece.text)


def _characters(text: str) -> list[tuple[int, int]]:
    return [(place, place + 1) for place, character in enumerate(text) if not character.isspace()]


def _strict(tags: Sequence[str]) -> list[Entity]:
    return sorted(strict_entities(tags), key=lambda entity: entity[1])


def _touch(one: Entity, other: Entity) -> bool:
    return one[1] <= other[2] and other[1] <= one[2]


def _by_type(entries: Sequence[Entry], read: Read) -> Table:
    gold, predicted, right = Counter[str](), Counter[str](), Counter[str]()
    for entry in entries:
        sides = read(entry["gold"]), read(entry["predicted"])
        gold.update(entity[0] for entity in sides[0])
        predicted.update(entity[0] for entity in sides[1])
        right.update(entity[0] for entity in set(sides[0]) & set(sides[1]))
    rows = [_type_row(kind, right[kind], gold[kind], predicted[kind]) for kind in sorted(gold | predicted)]
    rows.append(_type_row("all", right.total(), gold.total(), predicted.total()))
    head = ("type", "precision", "recall", "F1", "gold", "predicted", "right")
    return Table("Entities by type, × 100; the last row counts every entity alike", head, tuple(rows))


def _type_row(kind: str, right: int, gold: int, predicted: int) -> tuple[Cell, ...]:
    scores = [Cell(f"{100 * score:.2f}", score) for score in measures(right, gold, predicted)]
    return (Cell(kind), *scores, *(Cell(f"{n:,}", n) for n in (gold, predicted, right)))


def _item(entity: Entity, entry: Entry, read: Read, characters: bool) -> Item:
    (piece,) = [piece for piece in marked(entry, _only(entity, entry), entities, characters) if piece.tag]
    gold, predicted = (marked(entry, entry[side], read, characters) for side in ("gold", "predicted"))
    return Item(f"row {entry['row']}: {piece.text} ({entity[0]})", (("gold", gold), ("predicted", predicted)))


def _only(entity: Entity, entry: Entry) -> list[str]:
    kind, first, last = entity
    tags = ["O"] * len(entry["gold"])
    tags[first : last + 1] = [f"{kind}-B"] + [f"{kind}-I"] * (last - first)
    return tags
