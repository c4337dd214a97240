"""Which cleaned texts are Korean articles: each filter answers (keep, reason, detail)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from korbert.config import CorpusConfig


class Verdict(NamedTuple):
    """A filter's answer; reason and detail are empty where the text is kept."""

    keep: bool
    reason: str = ""
    detail: str = ""


KEPT = Verdict(True)
_HANGUL = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]+")


def too_short(text: str, config: CorpusConfig) -> Verdict:
    """Rejects texts below `min_characters`."""
    if len(text) >= config.min_characters:
        return KEPT
    return Verdict(False, "too_short", f"{len(text)} characters, least {config.min_characters}")


def too_long(text: str, config: CorpusConfig) -> Verdict:
    """Rejects texts above `max_characters`."""
    if len(text) <= config.max_characters:
        return KEPT
    return Verdict(False, "too_long", f"{len(text)} characters, most {config.max_characters}")


def not_korean(text: str, config: CorpusConfig) -> Verdict:
    """Rejects texts with a smaller share of Hangul among their letters than `min_hangul`, or with no letter."""
    letters = sum(map(str.isalpha, text))
    share = sum(map(len, _HANGUL.findall(text))) / letters if letters else 0.0
    if letters and share >= config.min_hangul:
        return KEPT
    return Verdict(False, "not_korean", f"Hangul share {share:.2f}, least {config.min_hangul}")


def repeated_lines(text: str, config: CorpusConfig) -> Verdict:
    """Rejects texts where lines seen before in the same text hold too great a share of the characters."""
    lines = text.split("\n")
    repeated = sum(len(line) * (count - 1) for line, count in Counter(lines).items())
    share = repeated / max(1, sum(map(len, lines)))
    if share <= config.max_duplicate_lines:
        return KEPT
    return Verdict(False, "repeated_lines", f"share {share:.2f}, most {config.max_duplicate_lines}")


FILTERS: tuple[Callable[[str, CorpusConfig], Verdict], ...] = (too_short, too_long, not_korean, repeated_lines)
"""In the order in which they are asked: the cheap ones first."""

REASONS = tuple(check.__name__ for check in FILTERS)


def judge(text: str, config: CorpusConfig) -> Verdict:
    """The first filter's rejection, or `KEPT`."""
    for check in FILTERS:
        verdict = check(text, config)
        if not verdict.keep:
            return verdict
    return KEPT
