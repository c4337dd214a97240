"""A request's object is checked field by field, and the model that it names is asked."""

from http import HTTPStatus
from typing import Any

import pytest

from korbert.use.asking import Asker
from korbert.use.requests import CHARACTERS, INPUTS, Refused, described, predicted

from .conftest import Tuned


def test_the_first_model_is_asked_where_none_is_named(tuned: Tuned) -> None:
    askers = {"film": Asker(tuned.model("sentence")), "names": Asker(tuned.model("tags"))}
    assert predicted(askers, {"text": "최고"}, 60)["model"] == "film"
    assert "entities" in predicted(askers, {"model": "names", "text": "최고"}, 60)["answer"]
    assert len(predicted(askers, {"inputs": [{"text": "최고"}] * INPUTS}, 60)["answers"]) == INPUTS
    told = described("names", askers["names"])
    assert told == {"name": "names", "head": "words", "labels": [], "task": "tags", "paired": False}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, HTTPStatus.BAD_REQUEST),
        ({"model": "x", "text": "a"}, HTTPStatus.NOT_FOUND),
        ({"inputs": {"text": "a"}}, HTTPStatus.BAD_REQUEST),
        ({"inputs": [{"text": "a"}] * (INPUTS + 1)}, HTTPStatus.BAD_REQUEST),
        ({"text": "a" * (CHARACTERS + 1)}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
    ids=["no text", "no such model", "no list", "too many", "too long"],
)
def test_what_cannot_be_asked_has_a_status(tuned: Tuned, fields: dict[str, Any], status: HTTPStatus) -> None:
    with pytest.raises(Refused) as refused:
        predicted({"film": Asker(tuned.model("sentence"))}, fields, 60)
    assert refused.value.status == status
