"""Records of any kind are read without an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.report import records

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("step", "mlm", "tokens", "attempt", "seeds", "mean", "trial", "config", "epochs", "best", "state")


@settings(max_examples=150)
@given(st.fixed_dictionaries({"task": json_values}, optional=dict.fromkeys(FIELDS, json_values)))
def test_no_value_of_any_field_raises(record: dict[str, Any]) -> None:
    point = records.point(record)
    assert point is None or point.step >= 0
    assert isinstance(records.score(record).task, str)
    trial = records.trial(record)
    assert trial.lr is None or 0 < trial.lr < float("inf")


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"3", b"\xff", b"[" * 100_000])
def test_a_line_that_holds_no_object_is_none(raw: bytes) -> None:
    assert records.line(raw) is None


def test_dotted_fields_of_a_trial_are_the_plain_ones() -> None:
    trial = records.trial({"trial": 3, "config": {"finetune.lr": 2e-5, "batch": 16}, "epochs": [{"epoch": 1}]})
    assert (trial.name, trial.lr, trial.config, trial.validation) == ("3", 2e-5, {"lr": 2e-5, "batch": 16}, ())


def test_counts_are_whole_numbers_from_zero() -> None:
    mixed = {"a": 1, "b": 2.0, "c": -1, "d": "4", "e": None, "f": True, "g": float("nan")}
    assert records.counts(mixed) == {"a": 1, "b": 2}
    assert records.counts([1]) == {}
