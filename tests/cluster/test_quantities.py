"""Kubernetes' quantities."""

import pytest

from korbert.cluster.quantities import amount
from korbert.errors import WorldError


@pytest.mark.parametrize(
    ("text", "number"),
    [("4", 4.0), ("500m", 0.5), ("2Ki", 2048.0), ("1.5Gi", 1.5 * 2**30), ("1e3", 1000.0)],
)
def test_quantities_are_numbers_of_their_base_unit(text: str, number: float) -> None:
    assert amount(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "4 Gi", "viel", "4GiB"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(WorldError, match="cannot be read"):
        amount(text)
