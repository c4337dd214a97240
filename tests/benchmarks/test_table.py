"""Our scores stand beside published ones where the rows are the same, and nowhere else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from korbert.benchmarks import published, table
from korbert.benchmarks.blocks import Heading, Table
from korbert.benchmarks.scored import Scored, read_scores

Make = Callable[..., Path]


@pytest.fixture
def score(make_scores: Make) -> Callable[..., Scored]:
    def made(task: str, *arguments: Any, **more: Any) -> Scored:
        return read_scores([str(make_scores(task, *arguments, **more))])[0]

    return made


def tables(*scores: Scored) -> dict[str, Table]:
    """The first table under each heading."""
    blocks = table.blocks(scores)
    return {
        block.text: next(later for later in blocks[place:] if isinstance(later, Table))
        for place, block in enumerate(blocks)
        if isinstance(block, Heading)
    }


def test_a_score_on_the_real_rows_is_the_last_row_of_the_published_table(score: Callable[..., Scored]) -> None:
    shown = tables(score("nsmc", "accuracy", [0.92, 0.94], 50_000, n_train=142_500, n_validation=7_500))
    beside = shown["Beside published scores"]
    assert len(beside.rows) == 34
    assert beside.ours == {33}
    name, nsmc, *others, source = beside.rows[33]
    assert (name.text, nsmc.text, nsmc.note, nsmc.mark, source.text) == ("ours", "93.00 ± 1.41", "n=2", "best", "ours")
    assert {cell.text for cell in others} == {"–"}
    assert [row[1].mark for row in beside.rows].count("second") == 1
    assert "Not comparable with published scores" not in shown


def test_a_subset_of_the_training_rows_is_named_in_the_cell(score: Callable[..., Scored]) -> None:
    nsmc = score("nsmc", "accuracy", [0.8], 50_000, n_train=10_000, n_validation=500)
    assert tables(nsmc)["Beside published scores"].rows[33][1].note == "n=1, 10,000 of 150,000 rows"
    korsts = score("korsts", "spearman", [0.8], 1_379, n_train=5_749, n_validation=1_500)
    assert tables(korsts)["Beside published scores"].rows[33][5].note == "n=1"


@pytest.mark.parametrize(
    ("task", "rows", "remark", "why"),
    [
        ("kmou-ner", 366, "stand-in for Naver NER", "stand-in for Naver NER"),
        ("kornli", 5_010, "stand-in: trained on KLUE-NLI", "stand-in: trained on KLUE-NLI"),
        ("nsmc", 400, "", "tested on 400 rows, not on the 50,000 of the published scores"),
        ("sentence", 100, "", "no published scores of this task"),
        ("klue-nli", 3_000, "", "no published scores of this task"),
    ],
    ids=["stand-in", "training", "sample", "own", "klue"],
)
def test_what_is_not_of_the_same_rows_stands_apart_with_the_reason(
    score: Callable[..., Scored], task: str, rows: int, remark: str, why: str
) -> None:
    scored = score(task, "accuracy", [0.99], rows, remark=remark)
    shown = tables(scored)
    assert "Beside published scores" not in shown
    (line,) = shown["Not comparable with published scores"].rows
    assert line[-1].text.startswith(why)
    with pytest.raises(AssertionError):
        table.comparison([scored])


def test_a_stand_in_is_kept_out_of_the_table_that_another_score_makes(score: Callable[..., Scored]) -> None:
    shown = tables(
        score("nsmc", "accuracy", [0.8], 50_000), score("wiki-qa", "f1", [0.99], 240, remark="stand-in for KorQuAD")
    )
    cells = [cell.text for row in shown["Beside published scores"].rows for cell in row]
    assert "80.00" in cells
    assert "99.00" not in cells
    assert [row[1].text for row in shown["Not comparable with published scores"].rows] == ["wiki-qa"]


def test_metrics_beside_the_first_have_rows_of_their_own(score: Callable[..., Scored]) -> None:
    korquad = score("korquad", "f1", [0.8, 0.9], 5_774, also={"exact_match": 0.6})
    shown = tables(korquad)
    assert [cell.text for cell in shown["Beside published scores"].rows[33]][-3:] == ["60.00", "85.00 ± 7.07", "ours"]
    assert [row[2].text for row in shown["Our scores in full"].rows] == ["f1", "exact_match"]


def test_klue_baselines_come_alone(score: Callable[..., Scored]) -> None:
    shown = tables(score("klue-sts", "pearson", [0.8], 519))
    baselines = shown["KLUE's published baselines, for reference"]
    assert [row[0].text for row in baselines.rows] == [row.model for row in published.klue_rows()]
    assert baselines.ours == frozenset()


def test_every_task_has_its_licence_in_the_foot(score: Callable[..., Scored]) -> None:
    scores = [
        score("nsmc", "accuracy", [0.8], 50_000),
        score("korsts", "spearman", [0.7], 1_379, licence="CC BY-SA 4.0"),
    ]
    assert [[cell.text for cell in row] for row in tables(*scores)["Licences of the tasks"].rows] == [
        ["korsts", "CC BY-SA 4.0", "https://example.org/data"], ["nsmc", "CC0-1.0", "https://example.org/data"],
    ]  # fmt: skip
