"""Personal data to placeholders: phone numbers, e-mail addresses, resident registration numbers.

What looks alike and is not personal stays: dates, scores, prices, year ranges, statute and account numbers. The
tests hold a table of both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date

PLACEHOLDERS = {"phone": "[전화]", "email": "[이메일]", "resident": "[주민번호]"}

# Area codes and service prefixes of the Korean numbering plan (전기통신번호관리세칙): 02, 031-033, 041-044, 051-055,
# 061-064; 070 internet, 080 toll-free, 050x personal, 060 information, 01x mobile.
_PREFIX = r"(?:01[016789]|02|03[1-3]|04[1-4]|05[1-5]|06[0-4]|070|080|050[2-8]?)"
_JOIN = r"[ ]?[-.–—·/)_][ ]?|[ ]"
# No digit, and no digit with a joiner, on either side: those are pieces of longer numbers.
_LEFT, _RIGHT = r"(?<!\d)(?<!\d[-.,:])", r"(?!\d|[-.,]\d|%)"
_EXTENSION = r"(?:[ ]?~[ ]?\d{1,4})?"
_LOCAL = r"\d{3,4}"
_PHONES = (
    # +82 10-1234-5678, +82-2-123-4567
    rf"{_LEFT}\+?82[ ]?[-.)]?[ ]?(?:\(0\))?0?(?:1[016789]|2|[3-6][1-5]|70)[- .]?{_LOCAL}[- .]?\d{{4}}{_RIGHT}",
    # (031) 000-9876, (02)1234567
    rf"{_LEFT}\({_PREFIX}\)[ -]?{_LOCAL}(?:{_JOIN})?\d{{4}}{_EXTENSION}{_RIGHT}",
    # 02-123-4567, 010.1234.5678, 031)000-9876, 02-123-4567~8
    rf"{_LEFT}{_PREFIX}(?:{_JOIN}){_LOCAL}(?:{_JOIN})\d{{4}}{_EXTENSION}{_RIGHT}",
    # 01012345678, 010-12345678: without joiners only mobile numbers are told from other digits
    rf"{_LEFT}01[016789](?:{_JOIN})?{_LOCAL}(?:{_JOIN})?\d{{4}}{_RIGHT}",
    # A local number is one only beside a word that says so.
    rf"(?:(?<=☎)|(?<=전화)|(?<=문의)|(?<=팩스)|(?<=[Tt][Ee][Ll])|(?<=FAX))[ ]?[:.]?[ ]?{_LOCAL}-\d{{4}}{_EXTENSION}"
    rf"{_RIGHT}",
)
_PHONE_PATTERNS = tuple(map(re.compile, _PHONES))
# Nationwide numbers in use; the years of other centuries have the same shape.
_NATIONWIDE = re.compile(
    rf"{_LEFT}(15(?:22|33|44|66|77|88|99)|16(?:00|11|13|18|22|23|33|44|60|61|66|68|70|77|88|99)"
    rf"|18(?:00|11|33|44|55|66|77|99))[-–](\d{{4}}){_RIGHT}(?!년|~)"
)
# Bounded repeats, so that no text makes the search slow.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}[ ]?(?:@|[(\[]at[)\]])[ ]?"
    r"(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_RESIDENT = re.compile(r"(?<![\d.,-])(\d{6})([ ]?[-–][ ]?|[ ])?([1-8]\d{6})(?!\d|[,-]\d)")
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_NO_CHECKSUM_SINCE = date(2020, 10, 5)
"""From this day on the last six digits are drawn at random (행정안전부, 주민등록법 시행규칙): nothing to check."""


def mask(text: str) -> tuple[str, Counter[str]]:
    """`text` with placeholders, and how many of each kind (`phone`, `email`, `resident`) were put in."""
    found: Counter[str] = Counter()
    if "@" in text or "(at)" in text or "[at]" in text:
        text = _replace(_EMAIL, "email", text, found)
    text = _replace(_RESIDENT, "resident", text, found, is_resident_number)
    for pattern in _PHONE_PATTERNS:
        text = _replace(pattern, "phone", text, found)
    return _replace(_NATIONWIDE, "phone", text, found, _is_no_year_range), found


def is_resident_number(match: re.Match[str]) -> bool:
    """Whether 6 + 7 digits are a birth date and a serial number with the right check digit.

    The check digit is (11 - weighted sum mod 11) mod 10, of foreigners (13 - weighted sum mod 11) mod 10.
    """
    birth, joint, serial = match.groups()
    digits = [int(digit) for digit in birth + serial]
    century = {1: 1900, 2: 1900, 5: 1900, 6: 1900, 3: 2000, 4: 2000, 7: 2000, 8: 2000}[digits[6]]
    try:
        born = date(century + int(birth[:2]), int(birth[2:4]), int(birth[4:]))
    except ValueError:
        return False
    if joint and joint.strip() and born >= _NO_CHECKSUM_SINCE:
        return True
    total = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=False))
    base = 13 if digits[6] >= 5 else 11
    return (base - total % 11) % 10 == digits[12]


def _is_no_year_range(match: re.Match[str]) -> bool:
    first, last = int(match[1]), int(match[2])
    return not first < last <= 2100


def _replace(
    pattern: re.Pattern[str],
    kind: str,
    text: str,
    found: Counter[str],
    accept: Callable[[re.Match[str]], bool] = lambda _: True,
) -> str:
    def put(match: re.Match[str]) -> str:
        if not accept(match):
            return match[0]
        found[kind] += 1
        space = " " if match[0].startswith(" ") else ""
        return space + PLACEHOLDERS[kind]

    return pattern.sub(put, text)
