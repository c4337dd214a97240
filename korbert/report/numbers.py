"""Numbers as people read them: thousands separators, shares, durations, axis labels."""

from __future__ import annotations

import math
from datetime import timedelta

MISSING = "–"


def finite(value: object) -> float | None:
    """`value` as a float when it is a finite number (a bool is none), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def whole(value: object) -> str:
    """12345 -> 12,345; what is no number -> a dash."""
    number = finite(value)
    return MISSING if number is None else f"{round(number):,}"


def fixed(value: object, digits: int) -> str:
    """Fixed decimals with thousands separators: (1234.5, 2) -> 1,234.50."""
    number = finite(value)
    return MISSING if number is None else f"{number:,.{digits}f}"


def percent(part: float, total: float) -> str:
    """A share of a total: (1, 8) -> 12.5 %; a dash when the total is 0."""
    return f"{100 * part / total:.1f} %" if total else MISSING


def duration(seconds: object) -> str:
    """Wall time: 9.6 -> 9.6 s, 130 -> 2 min 10 s, 3900 -> 1 h 05 min, 180000 -> 2 d 2 h."""
    number = finite(seconds)
    if number is None:
        return MISSING
    if number < 60:
        return f"{number:.1f} s"
    # Rounded before it is split, so that 119.9 s is 2 min and not 1 min 60 s.
    span = timedelta(seconds=round(number))
    minutes, rest = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if span.days:
        return f"{span.days} d {hours} h"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def scalar(value: object) -> str:
    """Any count of a manifest: whole numbers in full, others to four figures, texts as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    return power(value) if 0 < abs(value) < 1e-3 else (f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}")


def power(value: float) -> str:
    """Scientific in the shortest spelling: 2e-05 -> 2e-5, 0.00035 -> 3.5e-4."""
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def tick(value: float, step: float) -> str:
    """An axis label, no longer than the distance `step` to its neighbour demands: 1500000 -> 1.5M."""
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit and step >= unit / 100:
            return f"{value / unit:.2f}".rstrip("0").rstrip(".") + suffix
    digits = max(0, -math.floor(math.log10(step))) if step > 0 else 0
    text = f"{value:,.{min(digits + 1, 10)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
