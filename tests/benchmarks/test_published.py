"""Published scores stand as their sources print them, each with its source."""

from collections.abc import Callable

import pytest

from korbert import tasks
from korbert.benchmarks import metrics, published

TITLES = [column.title for column in published.COLUMNS]


def figures(model: str) -> dict[str, str]:
    (row,) = [row for row in published.rows() if row.model == model]
    return row.figures


def test_figures_are_as_printed() -> None:
    assert len(published.rows()) == 33
    assert figures("KR-ELECTRA")["NSMC acc"] == "91.168"
    assert " ".join(figures("KoBERT (SKT)").values()) == "89.59 87.92 81.25 79.62 81.59 94.85 51.75 79.15"
    assert [row.figures["MRC ROUGE"] for row in published.klue_rows()][-1] == "80.59"


def test_a_missing_figure_is_absent() -> None:
    assert set(figures("funnel-kor-base (LMkor)")) == set(TITLES) - {"KorNLI acc", "KorQuAD EM", "KorQuAD F1"}
    assert set(figures("kpfBERT (news)")) == {"NSMC acc", "KorQuAD EM", "KorQuAD F1"}


@pytest.mark.parametrize("rows", [published.rows, published.klue_rows], ids=["tasks", "klue"])
def test_every_row_has_a_model_a_known_source_and_scores_below_100(rows: Callable[[], list[published.Row]]) -> None:
    found = rows()
    assert len({row.model for row in found}) == len(found)
    assert {row.source for row in found} <= set(published.SOURCES)
    assert all(20 < float(figure) < 100 for row in found for figure in row.figures.values())


@pytest.mark.parametrize("column", published.COLUMNS, ids=TITLES)
def test_a_column_is_a_metric_of_a_task_of_ours(column: published.Column) -> None:
    task = tasks.task(column.task)
    assert column.metric in (task.metric, *task.also)
    assert column.metric in metrics.METRICS
