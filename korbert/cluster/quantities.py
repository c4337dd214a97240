"""Kubernetes' quantities as numbers: 500m, 2, 4Gi, 1e3 (its API reference, common definitions, Quantity)."""

from __future__ import annotations

import re

from korbert.errors import WorldError

_FACTORS = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_FACTORS |= {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}


def amount(text: str) -> float:
    """The quantity as a number of its base unit.

    Raises:
        WorldError: when it is no quantity.
    """
    found = re.fullmatch(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)", text)
    if found is None or found[2] not in _FACTORS:
        raise WorldError(f"quantity {text!r}: cannot be read; the API server sends another format than Kubernetes 1.37")
    return float(found[1]) * _FACTORS[found[2]]
