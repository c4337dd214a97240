"""What is shown of a sample is what training sees of it, and can be traced to its document."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from korbert.chain import Workspace
from korbert.config import DataConfig
from korbert.corpus.documents import shard_name
from korbert.data.inspect import (
    KEPT,
    MASKED,
    RANDOM,
    SPECIAL,
    TEXT,
    ShownSample,
    documents_at,
    drawn,
    open_store,
    show,
)
from korbert.data.samples import Samples
from korbert.data.shard_writer import write_store
from korbert.data.shards import HELD_OUT, Sentence, TokenStore
from korbert.data.shards import Special as SpecialIds
from korbert.errors import UsageError
from korbert.storage import Plan, publishing, write_jsonl

CONFIG = DataConfig(max_tokens=24, mask_rate=0.4)
# Ids: five special tokens, then pieces; a number's piece says its number, so that texts can be compared.
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"{'##' if n % 3 else ''}나{n}" for n in range(5, 300))]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(PIECES)}, unk_token="[UNK]"))


@pytest.fixture(scope="module")
def texts() -> list[list[list[int]]]:
    """Documents of sentences of ids, some documents without a token."""
    rng = np.random.default_rng(5)
    return [
        [rng.integers(5, 300, rng.integers(1, 14)).tolist() for _ in range(0 if n % 4 == 1 else rng.integers(1, 7))]
        for n in range(40)
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, texts: list[list[list[int]]]) -> TokenStore:
    folder = tmp_path_factory.mktemp("tokens")
    documents = [
        [Sentence(np.array(ids, np.uint16), np.array([i % 3 == 0 for i in ids])) for ids in sentences]
        for sentences in texts
    ]
    write_store(folder, documents, vocab_size=300, special=SpecialIds(0, 1, 2, 3, 4), shard_tokens=150)
    return TokenStore(folder)


@pytest.fixture(scope="module")
def shown(store: TokenStore, tokenizer: Tokenizer) -> list[ShownSample]:
    samples = Samples(store, CONFIG, 1)
    return [show(samples, store, tokenizer, epoch, number) for number in range(len(samples)) for epoch in (0, 1)]


def in_order(sample: ShownSample) -> list[str]:
    """Original pieces in the document's order."""
    parts = [[t.original for t in sample.tokens if t.segment == s and t.fate != SPECIAL] for s in (0, 1)]
    return parts[1] + parts[0] if sample.swapped else parts[0] + parts[1]


def test_the_originals_in_document_order_are_a_stretch_of_the_named_document(
    shown: list[ShownSample], texts: list[list[list[int]]]
) -> None:
    assert {sample.swapped for sample in shown} == {0, 1}
    for sample in shown:
        whole = [PIECES[i].removeprefix("##") for sentence in texts[sample.document] for i in sentence]
        found = in_order(sample)
        assert found
        assert any(whole[at : at + len(found)] == found for at in range(len(whole)))


def test_all_samples_of_an_epoch_together_are_the_corpus(
    shown: list[ShownSample], texts: list[list[list[int]]]
) -> None:
    whole = [PIECES[i].removeprefix("##") for document in texts for sentence in document for i in sentence]
    assert [piece for sample in shown if sample.epoch == 0 for piece in in_order(sample)] == whole
    ends = sum(token.ends_sentence for sample in shown if sample.epoch == 0 for token in sample.tokens)
    assert ends == sum(len(document) for document in texts)


def test_every_fate_is_shown_with_what_the_model_sees(shown: list[ShownSample], store: TokenStore) -> None:
    samples = Samples(store, CONFIG, 1)
    tokens = [token for sample in shown for token in sample.tokens]
    assert {token.fate for token in tokens} == {TEXT, SPECIAL, MASKED, RANDOM, KEPT}
    for token in tokens:
        assert (token.text == "[MASK]") == (token.fate == MASKED)
        assert (token.text == token.original) == (token.fate in (TEXT, SPECIAL, KEPT))
    for sample in shown:
        drawn_again = samples.draw(sample.epoch, sample.number)
        assert len(sample.tokens) == len(drawn_again.tokens)
        assert sample.count(MASKED, RANDOM, KEPT) == len(drawn_again.masked)
        assert sample.mask_rate == pytest.approx(len(drawn_again.masked) / (len(drawn_again.tokens) - 3))


def test_word_starts_are_those_of_the_store_and_sop_frames_both_segments(shown: list[ShownSample]) -> None:
    for sample in shown:
        assert [t.text for t in sample.tokens if t.fate == SPECIAL] == ["[CLS]", "[SEP]", "[SEP]"]
        for token in sample.tokens:
            if token.fate != SPECIAL:
                assert token.starts_word == (int(token.original[1:]) % 3 == 0)


def test_bytes_are_shown_as_the_characters_they_spell(tmp_path: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁가", *(f"<0x{byte:02X}>" for byte in "쀍".encode())]
    tokenizer = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    sentence = Sentence(np.array([5, 6, 7, 8, 5], np.uint16), np.array([1, 0, 0, 0, 1], np.bool_))
    write_store(tmp_path, [[sentence] * 2], vocab_size=9, special=SpecialIds(0, 1, 2, 3, 4), shard_tokens=99)
    store = TokenStore(tmp_path)
    samples = Samples(store, replace(CONFIG, mask_rate=1e-9), 1)
    (sample,) = [show(samples, store, tokenizer, 0, number) for number in range(len(samples))]
    text = "".join(" " * token.starts_word + token.text for token in sample.tokens if token.fate == TEXT)
    assert " 가쀍" in text
    assert "<0x" not in text
    assert sample.count(MASKED, RANDOM, KEPT) == 1


def test_morpheme_starts_are_those_of_the_store_where_it_has_them(
    tmp_path: Path, tokenizer: Tokenizer, shown: list[ShownSample]
) -> None:
    ids = np.arange(5, 105, dtype=np.uint16)
    sentence = Sentence(ids, ids % 3 == 0, (ids % 3 == 0) | (ids % 7 == 0))
    special = SpecialIds(0, 1, 2, 3, 4)
    write_store(tmp_path, [[sentence]], vocab_size=300, special=special, shard_tokens=999, morphemes=True)
    store = TokenStore(tmp_path)
    samples = Samples(store, replace(CONFIG, mask_unit="morpheme"), 1)
    tokens = [t for number in range(len(samples)) for t in show(samples, store, tokenizer, 0, number).tokens]
    places = [(int(t.original[1:]), t.starts_morpheme) for t in tokens if t.fate != SPECIAL]
    assert sorted(number for number, _ in places) == ids.tolist()
    assert all(starts == (number % 3 == 0 or number % 7 == 0) for number, starts in places)
    assert not any(token.starts_morpheme for sample in shown for token in sample.tokens)


@pytest.mark.parametrize(
    ("number", "epoch", "message"),
    [
        (10_000, 0, "--sample 10000: must be 0 to"),
        (-1, 0, "--sample -1: must"),
        (0, -1, "--epoch -1: must be 0 or more"),
    ],
)
def test_a_sample_that_is_none_is_refused(
    store: TokenStore, tokenizer: Tokenizer, number: int, epoch: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        show(Samples(store, CONFIG, 1), store, tokenizer, epoch, number)


def test_samples_are_drawn_by_the_seed_and_differ() -> None:
    assert drawn(1000, 3, 1) == drawn(1000, 3, 1) != drawn(1000, 3, 2)
    assert sorted(drawn(5, 9, 1)) == list(range(5))
    with pytest.raises(UsageError, match="--seed -1"):
        drawn(5, 3, -1)


def test_documents_are_found_by_position_over_shards(tmp_path: Path) -> None:
    record = {"date": "", "press": "", "section": "", "title": "", "sentences": []}
    for number in range(3):
        write_jsonl(tmp_path / shard_name(number), [record | {"id": f"{number}-{n}"} for n in range(4)])
    found = documents_at(tmp_path, [9, 0], held_out=False)
    assert {position: document.id for position, document in found.items()} == {0: "0-0", 9: "2-1"}
    assert documents_at(tmp_path, [3], held_out=True) == {}


def test_held_out_samples_come_from_a_store_of_their_own(tmp_path: Path) -> None:
    workspace, special = Workspace(tmp_path), SpecialIds(0, 1, 2, 3, 4)
    sentence = Sentence(np.array([7, 8], np.uint16), np.array([True, True]))
    with publishing(Plan("tokens", workspace.path("tokens"), 2, {}, {})) as draft:
        write_store(draft.path, [[sentence]] * 3, vocab_size=300, special=special, shard_tokens=99)
    with pytest.raises(UsageError, match="--held-out: .* has no held-out documents"):
        open_store(workspace, held_out=True)
    (tmp_path / "tokens" / HELD_OUT).mkdir()
    write_store(tmp_path / "tokens" / HELD_OUT, [[sentence]], vocab_size=300, special=special, shard_tokens=99)
    assert (open_store(workspace, held_out=True).tokens, open_store(workspace, held_out=False).tokens) == (2, 6)
