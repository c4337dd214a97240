"""The tokenizer of an exported encoder: ids of texts, and which characters each token stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

import korbert.tokenizer.morphemes  # noqa: F401  AutoTokenizer then knows the class that cuts texts into morphemes
from korbert.benchmarks.windows import Frame
from korbert.errors import UsageError

AT_ONCE = 5_000
"""Texts that are tokenised at once, at most: bounds the memory that their encodings take."""

Offsets = list[tuple[int, int]]
"""(first character, one past the last) of each token; (0, 0) for special tokens."""


class InputTokenizer:
    """Texts to token ids, special tokens included."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, at_once: int = AT_ONCE) -> None:
        self._tokenizer, self._at_once = tokenizer, at_once

    @property
    def pad(self) -> int:
        """The padding token's id."""
        return int(self._tokenizer.pad_token_id or 0)

    @property
    def unknown(self) -> int:
        """The unknown token's id; padding's where the vocabulary has none (byte-level ones need none)."""
        return int(self.pad if self._tokenizer.unk_token_id is None else self._tokenizer.unk_token_id)

    def ids(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Token ids of each text. An empty text has special tokens only."""
        for part in self._parts(texts):
            batch = self._tokenizer(
                part,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,  # rows longer than the model are cut later, and counted
            )
            yield from batch["input_ids"]

    def encoded(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Offsets]]:
        """Token ids and offsets of each text."""
        for part in self._parts(texts):
            batch = self._tokenizer(
                part,
                return_attention_mask=False,
                return_token_type_ids=False,
                return_offsets_mapping=True,
                verbose=False,
            )
            yield from zip(batch["input_ids"], batch["offset_mapping"], strict=True)

    def sequences(
        self, texts: Sequence[str], seconds: Sequence[str] | None, most: int
    ) -> Iterator[tuple[list[int], int, bool]]:
        """Of each text, or pair of texts: at most `most` token ids, where the second text begins in them (their number
        if there is none, or the tokenizer does not tell), and whether it had to be cut, longest text first.
        """
        for begin in range(0, len(texts), self._at_once):
            part = slice(begin, begin + self._at_once)
            given = (list(texts[part]), None if seconds is None else list(seconds[part]))
            ids, types = self._batch(*given)
            long = [place for place, row in enumerate(ids) if len(row) > most]
            if long:
                few = ([given[0][n] for n in long], None if given[1] is None else [given[1][n] for n in long])
                for place, row, kinds in zip(long, *self._batch(*few, most), strict=True):
                    ids[place], types[place] = row, kinds
            cut = set(long)
            for place, (row, kinds) in enumerate(zip(ids, types, strict=True)):
                yield row, kinds.index(1) if 1 in kinds else len(row), place in cut

    def _batch(
        self, texts: list[str], seconds: list[str] | None, most: int | None = None
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Token ids and token types of each row."""
        batch = self._tokenizer(
            texts,
            seconds,
            truncation="longest_first" if most else False,
            max_length=most,
            return_attention_mask=False,
            return_token_type_ids=True,
            verbose=False,
        )
        return list(batch["input_ids"]), list(batch["token_type_ids"])

    def parts(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Offsets]]:
        """Token ids and offsets of each text without special tokens, to be put into a `frame`."""
        for part in self._parts(texts):
            batch = self._tokenizer(
                part,
                add_special_tokens=False,
                return_attention_mask=False,
                return_token_type_ids=False,
                return_offsets_mapping=True,
                verbose=False,
            )
            yield from zip(batch["input_ids"], batch["offset_mapping"], strict=True)

    def frame(self) -> Frame:
        """The special tokens around and between two texts, as the tokenizer itself puts them."""
        ids = list(self._tokenizer("0", "0", return_attention_mask=False, return_token_type_ids=False)["input_ids"])
        text = list(self._tokenizer("0", add_special_tokens=False, return_attention_mask=False)["input_ids"])
        places = [n for n in range(len(ids)) if ids[n : n + len(text)] == text]
        first, second = places[0], places[-1]
        return Frame(
            tuple(ids[:first]), tuple(ids[first + len(text) : second]), tuple(ids[second + len(text) :])
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Writes the tokenizer's files into `folder`, for transformers."""
        self._tokenizer.save_pretrained(str(folder))

    def _parts(self, texts: Sequence[str]) -> Iterator[list[str]]:
        for begin in range(0, len(texts), self._at_once):
            yield list(texts[begin : begin + self._at_once])


def load_tokenizer(folder: Path, at_once: int = AT_ONCE) -> InputTokenizer:
    """The encoder's tokenizer.

    Raises:
        UsageError: when the folder holds none that can be read.
    """
    try:
        found = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except UsageError:
        raise  # the analyser is missing
    except (OSError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UsageError(f"{folder}: holds no tokenizer ({reason}); run: korbert run --to export") from error
    return InputTokenizer(found, at_once)
