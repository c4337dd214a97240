"""Charts of our scores among the published ones: who is drawn, in which order, as SVG and PNG."""

import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import pytest

from korbert.benchmarks.scored import Scored, read_scores
from korbert.report import ranking, ranking_png

Make = Callable[..., Path]


@pytest.fixture
def scores(make_scores: Make) -> list[Scored]:
    make_scores("nsmc", "accuracy", [0.90, 0.91], 50_000)
    make_scores("kmou-ner", "entity_f1", [0.8], 366, remark="stand-in")
    return read_scores([str(make_scores("korquad", "f1", [0.9], 5_774, also={"exact_match": 0.7}).parent)])


def test_a_chart_for_each_column_with_a_score_of_ours_and_none_for_a_stand_in(scores: list[Scored]) -> None:
    charts = ranking.rankings(scores)
    assert [chart.title for chart in charts] == ["NSMC acc", "KorQuAD EM", "KorQuAD F1"]
    nsmc = charts[0]
    assert len(nsmc.places) == 34
    assert [p.score for p in nsmc.places] == sorted((p.score for p in nsmc.places), reverse=True)
    (ours,) = [place for place in nsmc.places if place.ours]
    assert (ours.model, ours.shown, ours.seeds) == ("ours (900 rows)", "90.50", (90.0, 91.0))
    assert ours.std == pytest.approx(0.7071, abs=1e-4)


def test_every_mark_lies_on_the_axis(scores: list[Scored]) -> None:
    for chart in ranking.rankings(scores):
        values = [v for p in chart.places for v in (p.score, *p.seeds, p.score - (p.std or 0), p.score + (p.std or 0))]
        assert all(0 <= chart.axis.place(value) <= 1 for value in values)


def test_the_svg_is_well_formed_and_names_every_model(scores: list[Scored]) -> None:
    chart = ranking.rankings(scores)[0]
    root = ElementTree.fromstring(ranking.alone(chart))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {place.model for place in chart.places} <= set(words)
    assert sum("spread" in (element.get("class") or "") for element in root.iter()) == 1


def test_the_png_has_a_panel_a_chart(scores: list[Scored]) -> None:
    charts = ranking.rankings(scores)
    one, three = (matplotlib.image.imread(io.BytesIO(ranking_png.png(some))) for some in (charts[:1], charts))
    assert three.shape[1] > 1.9 * one.shape[1]
    assert three.shape[0] > 1.9 * one.shape[0]
    assert three[..., :3].std() > 0.05
