"""Which tokens start a morpheme, with the real analyser."""

from collections.abc import Sequence

import numpy as np
import pytest
from tokenizers import Tokenizer

from korbert.config import TokenizerConfig
from korbert.data.eojeols import EojeolEncoder
from korbert.data.morphemes import first_tokens
from korbert.data.shards import EncodedBatch
from korbert.tokenizer import train as tokenizers
from korbert.tokenizer.analysers import segmented
from korbert.tokenizer.scheme import MARK, PREFIX

pytest.importorskip("mecab_ko")

PIECES = ["정부", "##는", "##에", "##서는", "##서", "서울", "학교", "말", "##했", "##다", ".", "“"]
SENTENCES = ["“정부는 서울에서 학교에서는", "말했다. 정부에"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    vocabulary = {piece: number for number, piece in enumerate([*tokenizers.SPECIAL, *PIECES])}
    filler = {f"filler{number}": len(vocabulary) + number for number in range(300)}
    return tokenizers.assemble(vocabulary | filler, TokenizerConfig(vocab_size=600, limit_alphabet=100))


def shown(tokenizer: Tokenizer, batch: EncodedBatch) -> str:
    """Pieces, a space before each word and a bar before each other morpheme."""
    parts = []
    for number, word, morpheme in zip(batch.tokens.tolist(), batch.starts, batch.morphemes, strict=True):
        parts.append(
            (" " if word else "|" if morpheme else "+")
            + tokenizer.id_to_token(number).removeprefix(PREFIX).removeprefix(MARK)
        )
    return "".join(parts).strip()


@pytest.mark.parametrize(
    ("begins", "starts", "first"),
    [
        ([0, 2, 3], [0, 2], [1, 1, 0]),
        ([0, 2, 3], [0, 1], [1, 1, 0]),
        ([0, 1, 3], [0, 2], [1, 0, 1]),
        ([0, 1, 3], [0, 4], [1, 0, 0]),
        ([0, 0, 0, 1], [0, 1], [1, 0, 0, 1]),
        ([2, 3], [0, 1, 3], [1, 1]),
        ([0, 3, 2, 4], [0, 2, 4], [1, 1, 0, 1]),
        ([], [0], []),
    ],
    ids=["at a token", "inside one", "inside a later one", "in the last", "bytes", "dropped", "unordered", "none"],
)
def test_a_start_inside_a_token_counts_for_the_next(begins: list[int], starts: list[int], first: list[int]) -> None:
    found = first_tokens(np.array(begins, np.int64), np.array(starts, np.int64))
    assert found.tolist() == [bool(flag) for flag in first]


def test_an_analyser_marks_the_morphemes_of_each_eojeol(tokenizer: Tokenizer) -> None:
    batch = EojeolEncoder(tokenizer, morphemes=True)([SENTENCES])
    # 에서 and 는 are two morphemes; 는 starts inside the piece 서는, which no other follows.
    assert shown(tokenizer, batch) == "“|정부|는 서울|에+서 학교|에+서는 말|했|다|. 정부|에"


def test_marks_leave_ids_and_word_starts_as_they_are(tokenizer: Tokenizer) -> None:
    plain, marked = (
        EojeolEncoder(tokenizer, morphemes=flag)([SENTENCES, [], ["서울 [MASK] 정부는"]]) for flag in (0, 1)
    )
    for name in ("tokens", "starts", "sentences", "documents"):
        assert getattr(plain, name).tolist() == getattr(marked, name).tolist()
        assert getattr(plain, name).dtype == getattr(marked, name).dtype
    assert len(plain.morphemes) == 0
    assert not (marked.starts & ~marked.morphemes).any()


def test_a_tokenizer_with_an_analyser_of_its_own_tells_by_its_separators(tokenizer: Tokenizer) -> None:
    asked: list[str] = []

    def mecab(texts: Sequence[str]) -> list[str]:
        asked.extend(texts)
        return segmented(texts, "mecab")

    config = TokenizerConfig(vocab_size=600, limit_alphabet=100, segmentation="mecab", analyse="always")
    vocabulary = [MARK + piece for piece in PIECES] + [piece.removeprefix(PREFIX) for piece in PIECES]
    numbered = {piece: number for number, piece in enumerate([*tokenizers.SPECIAL, *vocabulary])}
    filler = {f"filler{number}": len(numbered) + number for number in range(300)}
    always = tokenizers.assemble(numbered | filler, config)
    batch = EojeolEncoder(always, mecab, morphemes=True)([SENTENCES])
    assert asked == SENTENCES
    assert shown(always, batch) == "“|정부|는 서울|에+서 학교|에+서|는 말|했|다|. 정부|에"
