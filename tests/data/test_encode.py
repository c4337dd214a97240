import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from korbert import chain
from korbert.config import Config, DataConfig, TokenizerConfig
from korbert.corpus.documents import Document
from korbert.data.encode import encode_documents, run, special_ids, word_starts
from korbert.data.shards import Special, TokenStore
from korbert.errors import UsageError, WorldError
from korbert.storage import publishing, read_jsonl, write_jsonl
from korbert.tokenizer import train as tokenizers

LETTERS = "가나다라마바사아자차카타파하은는이를에서했다말정부국회장관KBSabc0123456789金"
SIGNS = ".,“”()%·"
CONFIG = Config(
    recipe="test",
    tokenizer=TokenizerConfig(vocab_size=600, limit_alphabet=100),
    data=DataConfig(shard_tokens=100),
)


def vocabulary() -> dict[str, int]:
    filler = [f"filler{number}" for number in range(200)]
    tokens = [*tokenizers.SPECIAL, *LETTERS, *("##" + letter for letter in LETTERS), *SIGNS, "정부", "##했다", *filler]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizers.assemble(vocabulary(), CONFIG.tokenizer)


def document(*sentences: str) -> Document:
    return Document("a1", "2016-01-01", "한빛뉴스", "사회", "제목", list(sentences))


def decoded(tokenizer: Tokenizer, text: str) -> list[list[str]]:
    """The tokens of a sentence, grouped by its word starts."""
    (encoded,) = next(encode_documents(tokenizer, [document(text)]))
    assert encoded.starts[0]
    words: list[list[str]] = []
    for number, starts in zip(encoded.tokens.tolist(), encoded.starts.tolist(), strict=True):
        if starts:
            words.append([])
        words[-1].append(tokenizer.id_to_token(number))
    return words


def test_an_eojeol_is_one_word_whatever_signs_it_holds(tokenizer: Tokenizer) -> None:
    assert decoded(tokenizer, "정부는 “말했다.” 金장관(KBS)은 3.5% 나다") == [
        ["정부", "##는"],
        ["“", "말", "##했다", ".", "”"],
        ["金", "장", "##관", "(", "K", "##B", "##S", ")", "은"],
        ["3", ".", "5", "%"],
        ["나", "##다"],
    ]


def test_an_eojeol_whose_first_character_has_no_token_still_starts_a_word(tokenizer: Tokenizer) -> None:
    # The normalizer drops control characters, so the first token lies behind the eojeol's first character.
    assert decoded(tokenizer, "정부 \u200b\x01나다") == [["정부"], ["나", "##다"]]


def test_special_tokens_in_a_text_are_only_text(tokenizer: Tokenizer) -> None:
    (encoded,) = next(encode_documents(tokenizer, [document("[MASK] 나다 [SEP] [PAD]")]))
    assert not set(encoded.tokens.tolist()) & {0, 2, 3, 4}


WORD = st.text(LETTERS + SIGNS, min_size=1, max_size=6)


@given(st.lists(WORD, min_size=1, max_size=8))
def test_there_are_as_many_word_starts_as_whitespace_words(words: list[str]) -> None:
    ours = tokenizers.assemble(vocabulary(), CONFIG.tokenizer)
    (encoded,) = next(encode_documents(ours, [document("  ".join(words))]))
    assert int(encoded.starts.sum()) == len(words)
    # Each word encoded alone gives the same tokens in a row.
    alone = [number for word in words for number in ours.encode(word, add_special_tokens=False).ids]
    assert encoded.tokens.tolist() == alone


def test_word_starts_follow_offsets_in_code_points() -> None:
    # A character beyond 16 bits counts once, as the tokenizers library counts it.
    assert word_starts("🙂가 나", [(0, 1), (1, 2), (3, 4)]).tolist() == [True, False, True]


def test_sentences_without_a_token_are_dropped_and_documents_without_sentences(tokenizer: Tokenizer) -> None:
    documents = [document("", " ", "나다"), document(""), document(), document("\u200b", "정부")]
    encoded = list(encode_documents(tokenizer, documents))
    assert [[sentence.tokens.tolist() for sentence in found] for found in encoded] == [
        [tokenizer.encode("나다", add_special_tokens=False).ids],
        [tokenizer.encode("정부", add_special_tokens=False).ids],
    ]


def test_a_vocabulary_without_a_special_token_is_refused() -> None:
    with pytest.raises(UsageError, match=r"has no \[MASK\]"):
        special_ids(tokenizers.blank({token: n for n, token in enumerate(tokenizers.SPECIAL[:4])}))


def make_workspace(root: Path, documents: list[list[str]]) -> chain.Workspace:
    """A workspace whose tokenizer is done."""
    workspace = chain.Workspace(root)
    with publishing(chain.plan(CONFIG, workspace, "crawl")) as draft:
        (draft.path / "summary.json").write_text("{}")
    with publishing(chain.plan(CONFIG, workspace, "corpus")) as draft:
        fixed = {"date": "", "press": "", "section": "", "title": ""}
        records = [{"id": f"a{n}", **fixed, "sentences": sentences} for n, sentences in enumerate(documents)]
        for number in range(2):
            write_jsonl(
                draft.path / f"documents-{number:05d}.jsonl.zst", records[number::2] if number else records[::2]
            )
        draft.counts["documents"] = len(records)
        draft.licences["CC-BY-4.0"] = len(records)
    with publishing(chain.plan(CONFIG, workspace, "tokenizer")) as draft:
        tokenizers.save(tokenizers.assemble(vocabulary(), CONFIG.tokenizer), draft.path)
    return workspace


def test_the_artefact_holds_the_corpus_in_order_and_counts_it(tmp_path: Path, tokenizer: Tokenizer) -> None:
    workspace = make_workspace(tmp_path, [[f"정부는 {n} 말했다.", "“나다”"] for n in range(100)])
    manifest = run(CONFIG, workspace)
    store = TokenStore(workspace.path("tokens"))
    assert len(store.shards) > 3
    texts = [
        sentence
        for path in sorted(workspace.path("corpus").glob("documents-*"))
        for record in read_jsonl(path)
        for sentence in record["sentences"]
    ]
    expected = [number for text in texts for number in tokenizer.encode(text, add_special_tokens=False).ids]
    held = np.concatenate(
        [shard.tokens(0, counts.tokens) for shard, counts in zip(store.shards, store.counts, strict=True)]
    )
    assert held.tolist() == expected
    counts = manifest.counts
    assert (counts["documents"], counts["sentences"], counts["tokens"]) == (100, 200, len(expected))
    assert counts["tokens_per_word"] == round(len(expected) / 400, 4)
    assert counts["unknown_rate"] == 0.0
    assert counts["bytes"] == sum(record["bytes"] for record in manifest.files.values())
    assert counts["unigram_entropy"] == pytest.approx(store.unigram_entropy, abs=1e-6)
    assert store.special == Special(0, 1, 2, 3, 4)
    assert manifest.licences == {"CC-BY-4.0": 100}


def test_a_corpus_without_a_token_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, [[""], []])
    with pytest.raises(UsageError, match="its documents give no token"):
        run(CONFIG, workspace)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "crawl", "tokenizer"]


def test_unknown_characters_are_counted(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, [["정부 쀍쀍 정부 정부"]])
    assert run(CONFIG, workspace).counts["unknown_rate"] == 0.25


@contextmanager
def full_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of `size` bytes at `folder`; where none may be mounted, a limit on the size of files."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() == 0 and sys.platform == "linux" and subprocess.run(mount, capture_output=True).returncode == 0:
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_the_worlds_fault_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    source = make_workspace(tmp_path / "source", [["정부는 말했다. " * 40] * 20 for _ in range(60)])
    config = replace(CONFIG, data=replace(CONFIG.data, shard_tokens=1_000_000))
    with full_disk(tmp_path / "small", 256 * 1024) as folder:
        workspace = chain.Workspace(folder)
        for stage in ("crawl", "corpus", "tokenizer"):
            os.symlink(source.path(stage), workspace.path(stage))
        with pytest.raises(WorldError, match="free space or choose another --workspace"):
            run(config, workspace)
        assert sorted(path.name for path in folder.iterdir()) == ["corpus", "crawl", "tokenizer"]
    assert run(config, source).counts["tokens"] > 128 * 1024
