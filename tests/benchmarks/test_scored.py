"""Scores are found in runs, artefacts and folders of artefacts, and have the names they are given."""

from collections.abc import Callable
from pathlib import Path

import pytest

from korbert.benchmarks.scored import read_scores
from korbert.errors import UsageError

Make = Callable[..., Path]


def test_a_folder_of_scores_is_read_whole(make_scores: Make) -> None:
    folder = make_scores("nsmc", "accuracy", [0.8, 0.82], 50_000).parent
    make_scores("korsts", "spearman", [0.7], 1_379, also={"pearson": 0.69})
    korsts, nsmc = read_scores([str(folder)])
    assert (nsmc.model, nsmc.seeds, nsmc.best["seed"]) == ("ours", 2, 2)
    assert nsmc.measured["accuracy"].mean == pytest.approx(0.81)
    assert nsmc.measured["accuracy"].values == (0.8, 0.82)
    assert (korsts.measured["spearman"].std, korsts.measured["pearson"].values) == (None, (0.69,))


def test_a_run_has_its_folders_name(make_scores: Make, tmp_path: Path) -> None:
    folder = make_scores("nsmc", "accuracy", [0.8], 50_000)
    (tmp_path / "small").mkdir()
    folder.rename(tmp_path / "small" / "finetune")
    (tmp_path / "small" / "config.json").write_text("{}")
    assert [scored.model for scored in read_scores([str(tmp_path / "small")])] == ["small"]
    assert [scored.model for scored in read_scores([f"big={tmp_path / 'small' / 'finetune' / 'scores.json'}"])] == [
        "big"
    ]


def test_two_scores_of_one_task_need_names(make_scores: Make) -> None:
    first = make_scores("nsmc", "accuracy", [0.8], 50_000)
    second = make_scores("nsmc", "accuracy", [0.9], 50_000, place="others")
    with pytest.raises(UsageError, match="tell them apart: NAME=PATH"):
        read_scores([str(first), str(second)])
    assert [scored.model for scored in read_scores([f"a={first}", f"b={second}"])] == ["a", "b"]
    assert len(read_scores([str(first), str(first)])) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no scores.json"),
        ("{", "is not JSON"),
        ('{"task": "nsmc"}', "is no score of ours"),
        ("[]", "is no"),
    ],
    ids=["none", "broken", "lacking", "list"],
)
def test_what_is_no_score_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "scores.json").write_text(content)
    with pytest.raises(UsageError, match=said):
        read_scores([str(tmp_path)])


def test_an_artefact_without_predictions_says_so(make_scores: Make) -> None:
    (scored,) = read_scores([str(make_scores("nsmc", "accuracy", [0.8], 50_000))])
    with pytest.raises(UsageError, match="holds no predictions.jsonl"):
        scored.predictions("test")
