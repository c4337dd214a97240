"""Which licences allow the training of a model: the rule, in one place.

Training makes copies and derives from them, and who trains may sell. So a licence must allow both copies in another
form and commercial use; one that is not known forbids. Korea Open Government Licence (KOGL, kogl.or.kr): type 1
attribution; 2 no commercial use; 3 no changes; 4 neither; since 2026-01-28 (notice of the Ministry of Culture) also
type 0 without conditions, and the AI mark, which allows training beside whatever type it stands.
"""

from __future__ import annotations

import re

_FREE = re.compile(
    r"\s*(?:kogl (?:type )?[01]|cc0|public domain|cc[ -]by|cc[ -]by[ -]sa|apache-2\.0|mit|operator's own file)"
    r"(?:[ -]?\d(?:\.\d)?)?(?:[ -]kr)?\s*",
    re.IGNORECASE,
)
_AI_MARK = re.compile(r"\s*kogl (?:type )?[0-4] ?(?:\+|with|and) ?ai\s*", re.IGNORECASE)
# 공공누리 제1유형, 공공누리 1유형, 공공누리 제 4 유형: and the file names of its marks, img_opentype01.png.
_KOGL_TEXT = re.compile(
    r"공공\s*누리[^.\n]{0,40}?제?\s*([0-4])\s*유형|(?:open(?:type|code)|img_kogl_?type)_?0?([0-4])\b"
)
_KOGL_AI = re.compile(r"공공\s*누리[^.\n]{0,40}?(?:AI|인공\s*지능)\s*유형")


def allows_training(licence: str) -> bool:
    """Whether a licence, by its name as stored with articles, allows training."""
    return bool(_FREE.fullmatch(licence) or _AI_MARK.fullmatch(licence))


def kogl(html: str) -> str:
    """The licence of the KOGL marks in a text; of several the narrowest; empty: there is none."""
    types = [int(text or image) for text, image in _KOGL_TEXT.findall(html)]
    if not types:
        return ""
    return f"KOGL type {max(types)}" + (" + AI" if _KOGL_AI.search(html) else "")
