"""Text to token ids, each distinct eojeol (whitespace word) once.

An eojeol's ids do not depend on its neighbours, and in news six of seven have been seen before, so a table does most
of the work. Word starts follow from the lengths: whitespace alone parts words, whatever the tokenizer parts further.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, cast

import numpy as np
from tokenizers import Tokenizer

from korbert.data.morphemes import ANALYSER, ID, STARTS, MorphemeMarker, marked_type
from korbert.data.shards import EncodedBatch, token_dtype
from korbert.tokenizer.scheme import MARK, PREFIX

KEPT = 500_000
"""Eojeols a generation of the table; two are kept: 160 MB in all at most (measured on news: 160 bytes an eojeol)."""
TOGETHER = 1_000
"""Unseen eojeols that the library is given in one text: a text of its own for each takes three times as long."""

_SEPARATOR = "[SEP]"
# What no normalizer changes, and what the library calls punctuation within it: nearly all eojeols of news.
_LETTERS, _MARKS = "가-힣A-Za-z0-9", r"""!-/:-@\[-`{-~“”‘’·…「」『』〈〉《》"""
_PLAIN = re.compile(f"[{_LETTERS}{_MARKS}]+")
_PARTS = re.compile(f"[{_MARKS}]|[{_LETTERS}]+")

Segmented = Callable[[Sequence[str]], list[str]]


class EojeolEncoder:
    """Encodes batches of documents; remembers the ids of the eojeols it has met."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        segmented: Segmented | None = None,
        *,
        morphemes: bool = False,
        kept: int = KEPT,
    ) -> None:
        """`segmented` marks morphemes in texts, for tokenizers that want an analyser at run time; `morphemes`: whether
        to tell which tokens start one."""
        # A copy: its settings are changed below.
        self._tokenizer, self._segmented, self._kept = Tokenizer.from_str(tokenizer.to_str()), segmented, kept
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._dtype: np.dtype[Any] = token_dtype(tokenizer.get_vocab_size())
        self._separator = tokenizer.token_to_id(_SEPARATOR)
        self._marker: MorphemeMarker | None = None
        if morphemes:
            self._dtype = marked_type(self._dtype)
            self._marker = MorphemeMarker(tokenizer, self._dtype, "" if segmented else ANALYSER)
        # Ids (and marks of morphemes) as bytes, by eojeol: those met lately, and those met before that.
        self._ids: dict[str, bytes] = {}
        self._older: dict[str, bytes] = {}
        self._jointly: bool | None = None
        self._plain: _Plain | None = _Plain(tokenizer)

    def __call__(self, documents: Sequence[Sequence[str]]) -> EncodedBatch:
        """Documents as lists of sentences -> their ids.

        Sentences without a token are dropped; a document without one stays, empty. A text that says [MASK] or [SEP]
        gets the ids of its characters: special tokens are ours alone to place.
        """
        sentences = self._words([sentence for document in documents for sentence in document])
        words = list(chain.from_iterable(sentences))
        pieces = self._pieces(words)
        # (words,) tokens of each word, and (words + 1,) tokens before it.
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces)) // self._dtype.itemsize
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        starts = np.zeros(int(bounds[-1]), np.bool_)
        starts[bounds[:-1][lengths > 0]] = True
        ends = bounds[np.cumsum([len(sentence) for sentence in sentences], dtype=np.int64)]
        sizes = np.diff(ends, prepend=0)
        owners = np.repeat(np.arange(len(documents)), [len(document) for document in documents])
        tokens = np.frombuffer(b"".join(pieces), self._dtype)
        batch = EncodedBatch(
            tokens=tokens,
            starts=starts,
            sentences=sizes[sizes > 0],
            documents=np.bincount(owners[sizes > 0], minlength=len(documents)),
        )
        return replace(batch, tokens=tokens[ID].copy(), morphemes=tokens[STARTS].copy()) if self._marker else batch

    def _words(self, sentences: list[str]) -> list[list[str]]:
        if self._segmented is None:
            return [sentence.split() for sentence in sentences]
        # An analyser looks at the whole sentence. What parts morphemes must not part words: only U+0020 does.
        texts = self._segmented([" ".join(sentence.split()) for sentence in sentences])
        return [text.split(" ") for text in texts]

    def _pieces(self, words: list[str]) -> list[bytes]:
        """The ids of each word (words,). The table is asked once for each distinct word: it is larger than a
        processor's cache, a batch's own words are not."""
        if len(self._ids) >= self._kept:
            self._older, self._ids = self._ids, {}
        table = self._ids
        mine: dict[str, bytes | None] = {word: table.get(word) for word in dict.fromkeys(words)}
        if missing := [word for word, piece in mine.items() if piece is None]:
            self._learn(missing)
            mine |= {word: table[word] for word in missing}
        return cast(list[bytes], list(map(mine.__getitem__, words)))

    def _learn(self, missing: list[str]) -> None:
        """Puts words into the table."""
        known = {word: self._older[word] for word in missing if word in self._older}
        unseen = [word for word in missing if word not in known] if known else missing
        self._ids |= known
        if self._marker:
            self._ids |= zip(unseen, self._marker(unseen), strict=True)
            return
        for plain, learn in ((True, self._plainly), (False, self._together)):
            # Every special token has a bracket.
            words = [word for word in unseen if (_PLAIN.fullmatch(word) is not None) is plain]
            self._ids |= {word: self._alone(word) for word in words if "[" in word}
            words = [word for word in words if "[" not in word]
            for first in range(0, len(words), TOGETHER):
                some = words[first : first + TOGETHER]
                self._ids |= zip(some, learn(some), strict=True)

    def _alone(self, word: str) -> bytes:
        self._tokenizer.encode_special_tokens = True
        return np.array(self._tokenizer.encode(word, add_special_tokens=False).ids, self._dtype).tobytes()

    def _plainly(self, words: list[str]) -> list[bytes]:
        """The ids of words of which the normalizer changes nothing, without it; `_together` where that differs."""
        plain = self._plain.pieces(words, self._dtype) if self._plain else None
        if self._plain and not self._plain.tried:
            together = self._together(words)
            if plain != together:
                self._plain = None
            else:
                self._plain.tried = True
            return together
        return plain if plain is not None else self._together(words)

    def _together(self, words: list[str]) -> list[bytes]:
        """The ids of words without special tokens, from one text in which a special token parts them.

        Whether a tokenizer answers the same so is tried on the first of them.
        """
        joint = self._joint(words) if self._jointly is not False else None
        if self._jointly is None:
            alone = [self._alone(word) for word in words]
            self._jointly = joint == alone
            return alone
        return joint if joint is not None else [self._alone(word) for word in words]

    def _joint(self, words: list[str]) -> list[bytes] | None:
        self._tokenizer.encode_special_tokens = False
        (encoding,) = self._tokenizer.encode_batch_fast([_SEPARATOR.join(words)], add_special_tokens=False)
        ids = np.array(encoding.ids, self._dtype)
        cuts = np.flatnonzero(ids == self._separator)
        if len(cuts) != len(words) - 1:
            return None
        size, content = self._dtype.itemsize, ids.tobytes()
        begins, ends = [0, *((cuts + 1) * size).tolist()], [*(cuts * size).tolist(), len(content)]
        return [content[begin:end] for begin, end in zip(begins, ends, strict=True)]


class _Plain:
    """The tokenizer without its normalizer and special tokens: a third of the time.

    Pieces that start a word, or a punctuation mark, can be told from others; so many of them belong to each eojeol as
    it has parts, and no separator is needed.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        record = json.loads(tokenizer.to_str())
        record |= {"normalizer": None, "added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
        self._tokenizer = Tokenizer.from_str(json.dumps(record))
        self._parts = record["pre_tokenizer"]["type"] == "BertPreTokenizer"
        self._starts = np.zeros(tokenizer.get_vocab_size(), np.bool_)
        for piece, number in tokenizer.get_vocab().items():
            self._starts[number] = not piece.startswith(PREFIX) if self._parts else piece.startswith(MARK)
        self.tried = False

    def pieces(self, words: list[str], dtype: np.dtype[Any]) -> list[bytes] | None:
        """The ids of each word; None where they cannot be told apart."""
        (encoding,) = self._tokenizer.encode_batch_fast([" ".join(words)], add_special_tokens=False)
        ids = np.array(encoding.ids, dtype)
        starts = np.flatnonzero(self._starts[ids])
        parts = [len(_PARTS.findall(word)) for word in words] if self._parts else [1] * len(words)
        firsts = np.cumsum([0, *parts])
        if len(starts) != firsts[-1] or (len(ids) and starts[0]):
            return None
        bounds = [*(starts[firsts[:-1]] * dtype.itemsize).tolist(), len(ids) * dtype.itemsize]
        content = ids.tobytes()
        return [content[begin:end] for begin, end in itertools.pairwise(bounds)]
