"""The characters a vocabulary starts from, chosen so that the same text always gives the same vocabulary.

The tokenizers library's own choice depends on the order of a hash map: at a cut among equally frequent characters
two runs keep different ones, and even without a cut they number them differently.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tokenizers import Tokenizer

PREFIX = "##"


@dataclass(frozen=True)
class Alphabet:
    """Single characters that are tokens: at a word's start, and (without the prefix here) inside a word."""

    first: tuple[str, ...]
    inside: tuple[str, ...]

    def tokens(self) -> list[str]:
        """The tokens, those inside words with their prefix."""
        return [*self.first, *(PREFIX + character for character in self.inside)]


def count_words(tokenizer: Tokenizer, eojeols: Mapping[str, int]) -> Counter[str]:
    """Occurrences of the words that `tokenizer`'s normalizer and pre-tokenizer make of whitespace words."""
    words: Counter[str] = Counter()
    for eojeol, count in eojeols.items():
        if _PLAIN.fullmatch(eojeol):
            words[eojeol] += count
            continue
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(eojeol)):
            words[word] += count
    return words


# Neither normalizer nor pre-tokenizer changes these; most words are such, and the two calls cost 5 µs each.
_PLAIN = re.compile("[가-힣A-Za-z0-9]+")


def count_eojeols(sentences: Iterable[str]) -> Counter[str]:
    """Occurrences of whitespace words."""
    eojeols: Counter[str] = Counter()
    for sentence in sentences:
        eojeols.update(sentence.split())
    return eojeols


def choose(words: Mapping[str, int], limit: int, room: int) -> Alphabet:
    """The most frequent `limit` characters, fewer where their tokens would pass `room`; ties by code point."""
    frequency: Counter[str] = Counter()
    inside: set[str] = set()
    for word, count in words.items():
        for character in word:
            frequency[character] += count
        inside.update(word[1:])
    kept: list[str] = []
    for character in sorted(frequency, key=lambda c: (-frequency[c], c))[:limit]:
        room -= 2 if character in inside else 1
        if room < 0:
            break
        kept.append(character)
    return Alphabet(tuple(sorted(kept)), tuple(sorted(inside.intersection(kept))))
