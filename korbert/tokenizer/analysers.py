"""Where the morphemes of a text begin, by mecab-ko or Kiwi, and the text with a separator between them.

Morphemes are surfaces: the pieces of an eojeol joined give the eojeol back, so a contraction ("했" = 하 + 았) is one
piece unless its parts begin at different characters.
"""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from korbert.errors import UsageError

SEPARATOR = "\u034f"
"""COMBINING GRAPHEME JOINER stands between two morphemes of an eojeol. It is no whitespace, and the normalizer keeps
it, as it would not keep a control, format or private-use character; no Korean text means anything by it."""

PACKAGES = {"mecab": "mecab_ko", "kiwi": "kiwipiepy"}
"""Analyser to the package that holds it; models ship with both."""

Starts = Callable[[str], set[int]]
"""A text to the code points at which its morphemes begin."""

# mecab reads a C string, and takes a line end for the end of its input.
_BLANK = re.compile(r"[\s\0]")
_SPECIAL = re.compile(r"\[(?:PAD|UNK|CLS|SEP|MASK)\]")
_HANJA = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ebef\U0002f800-\U0002fa1f]")  # fmt: skip # noqa: E501


@dataclass(frozen=True)
class Segmented:
    """A text with separators in it."""

    text: str
    inserted: tuple[int, ...]
    """Code points of the segmented text at which a separator was put in, ascending."""

    def original(self, position: int) -> int:
        """The code point of the original text for one of the segmented text."""
        return position - bisect_right(self.inserted, position - 1)


def require(analyser: str, field: str) -> None:
    """Checks that the analyser is installed.

    Raises:
        UsageError: when it is not, naming the extra.
    """
    if importlib.util.find_spec(PACKAGES[analyser]) is None:
        raise UsageError(
            f"{field} = {analyser!r}: needs {PACKAGES[analyser]}, which is not installed; "
            "run: pip install korbert[morphemes]"
        )


def segment(text: str, analyser: str) -> Segmented:
    """`text` with a separator between the morphemes of each eojeol; whitespace and special tokens stay as they are.

    No separator stands beside a character that is a word of its own anyway (punctuation, Hanja).

    Raises:
        UsageError: when the analyser is not installed.
    """
    protected = {place for match in _SPECIAL.finditer(text) for place in range(match.start() + 1, match.end())}
    parts: list[str] = []
    inserted: list[int] = []
    last = 0
    for start in sorted(_analyser(analyser)(text) - protected):
        if 0 < start < len(text) and not (_stands_alone(text[start - 1]) or _stands_alone(text[start])):
            parts.append(text[last:start])
            inserted.append(start + len(inserted))
            last = start
    return Segmented(SEPARATOR.join([*parts, text[last:]]), tuple(inserted))


def morpheme_starts(eojeol: str, analyser: str = "") -> list[int]:
    """Code points at which a morpheme of one eojeol starts, ascending, 0 among them: where the analyser would put a
    separator, at a separator that stands there already, and on both sides of a character that is a word of its own.

    Raises:
        UsageError: when the analyser is not installed.
    """
    inserted = segment(eojeol, analyser).inserted if analyser else ()
    found = {0} | {place - number for number, place in enumerate(inserted)}
    for place, character in enumerate(eojeol):
        if character == SEPARATOR:
            found.add(place)
        elif _stands_alone(character):
            found |= {place, place + 1}
    return sorted(found)


def segmented(texts: Sequence[str], analyser: str) -> list[str]:
    """`segment` of each text; the texts themselves where no analyser is named."""
    return [segment(text, analyser).text for text in texts] if analyser else list(texts)


@cache
def _stands_alone(character: str) -> bool:
    category = unicodedata.category(character)
    plain = character.isascii() and not character.isalnum()
    return category[0] in "PZ" or plain or character.isspace() or bool(_HANJA.match(character))


@cache
def _analyser(name: str) -> Starts:
    """One a process: Kiwi takes seconds to load."""
    require(name, "tokenizer.segmentation")
    return _mecab() if name == "mecab" else _kiwi()


def _mecab() -> Starts:
    import mecab_ko

    tagger = mecab_ko.Tagger("-Owakati")

    def starts(text: str) -> set[int]:
        found, position = set(), 0
        plain = _BLANK.sub(" ", text)
        for morpheme in (tagger.parse(plain) or "").split():
            position = plain.index(morpheme, position)
            found.add(position)
            position += len(morpheme)
        return found

    return starts


def _kiwi() -> Starts:
    from kiwipiepy import Kiwi

    # The processes share the cores. Names of several words would hide the edges between their morphemes.
    kiwi = Kiwi(num_workers=1, load_multi_dict=False, load_typo_dict=False)
    return lambda text: {token.start for token in kiwi.tokenize(text)}
