import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from korbert import chain
from korbert.config import Config, TokenizerConfig
from korbert.corpus.documents import read_documents
from korbert.errors import UsageError
from korbert.storage import publishing, write_jsonl
from korbert.tokenizer import train as tokenizers

STEMS = [f"{a}{b}{c}" for a in "정국시연경검서기노학" for b in "부회민구찰울업조교원" for c in "장단소청국"]
ENDINGS = ["은", "는", "이", "가", "을", "를", "에서", "으로", "했다.", "한다.", "했다고", "“라며”", "와", "도"]
TRICKY = [
    "정부는 오늘 발표했다.",
    "KBS와 SK하이닉스(SK hynix)가 café에서 金위원장과 만났다.",
    "“정말?!”… 3.5%·2,000원 [전화]",
    "Ａ㎡ ﬁ ①② ㄱㄴㄷ ᄒᆞᆫ글 🙂 naïve ÀÉ",
    "",
    "  앞뒤   공백\t탭\n줄 ",
    "가" * 150,
    "[MASK] 그리고 [CLS] 문자",
]


def sentences(count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [
        " ".join(rng.choice(STEMS) + rng.choice(ENDINGS) for _ in range(8))
        + (" KBS 金 café 2024년" if n % 9 == 0 else "")
        for n in range(count)
    ]


def make_corpus(workspace: chain.Workspace, config: Config, documents: list[list[str]]) -> None:
    """A corpus artefact of these documents' sentences, and the crawl before it."""
    with publishing(chain.plan(config, workspace, "crawl")) as draft:
        (draft.path / "summary.json").write_text("{}")
    with publishing(chain.plan(config, workspace, "corpus")) as draft:
        fixed = {"date": "2016-01-01", "press": "한빛뉴스", "section": "사회", "title": "제목"}
        records = ({"id": f"a{n}", **fixed, "sentences": document} for n, document in enumerate(documents))
        draft.counts["documents"] = write_jsonl(draft.path / "documents-00000.jsonl.zst", records)
        draft.licences["CC-BY-4.0"] = len(documents)


CONFIG = Config(recipe="test", tokenizer=TokenizerConfig(vocab_size=900, limit_alphabet=200))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> chain.Workspace:
    """A trained tokenizer."""
    workspace = chain.Workspace(tmp_path_factory.mktemp("run"))
    written = sentences(600)
    make_corpus(workspace, CONFIG, [written[start : start + 6] for start in range(0, 600, 6)])
    tokenizers.run(CONFIG, workspace)
    return workspace


@pytest.fixture(scope="module")
def tokenizer(workspace: chain.Workspace) -> Tokenizer:
    return tokenizers.load(workspace.path("tokenizer"))


def test_the_manifest_says_how_large_and_how_good_the_vocabulary_is(workspace: chain.Workspace) -> None:
    manifest = workspace.manifest("tokenizer")
    counts = manifest.counts
    assert counts["vocab_size_asked"] == counts["vocab_size"] == 900
    assert counts["unknown_rate"] == 0.0
    assert 1.0 < counts["tokens_per_word"] < 4.0
    assert manifest.licences == {"CC-BY-4.0": 100}
    written = (workspace.path("tokenizer") / "vocab.txt").read_text().splitlines()
    assert written[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert len(written) == len(set(written)) == 900
    assert counts["alphabet"] == sum(len(token) == 1 for token in written)


def test_the_vocabulary_is_learned_and_not_only_characters(tokenizer: Tokenizer) -> None:
    assert max(len(token.removeprefix("##")) for token in tokenizer.get_vocab() if token[0] != "[") >= 3


def test_transformers_loads_the_folder_and_gives_the_same_ids(workspace: chain.Workspace, tokenizer: Tokenizer) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(workspace.path("tokenizer"), local_files_only=True)
    assert [theirs.convert_tokens_to_ids(token) for token in tokenizers.SPECIAL] == [0, 1, 2, 3, 4]
    assert theirs.mask_token == "[MASK]"
    assert len(theirs) == 900
    for first in TRICKY + sentences(30, seed=7):
        ours = tokenizer.encode(first, TRICKY[1])
        got = theirs(first, TRICKY[1])
        assert got["input_ids"] == ours.ids
        assert got["token_type_ids"] == ours.type_ids
        assert (
            theirs(first, add_special_tokens=False)["input_ids"]
            == tokenizer.encode(first, add_special_tokens=False).ids
        )


def test_a_pair_of_segments_is_framed_and_has_two_types(tokenizer: Tokenizer) -> None:
    encoded = tokenizer.encode("정부장은", "국회단이")
    assert [encoded.tokens[0], encoded.tokens[-1], encoded.tokens.count("[SEP]")] == ["[CLS]", "[SEP]", 2]
    middle = encoded.tokens.index("[SEP]") + 1
    assert encoded.type_ids == [0] * middle + [1] * (len(encoded) - middle)


@given(st.lists(st.sampled_from(STEMS), min_size=1, max_size=8).map(" ".join))
def test_known_text_comes_back_from_its_ids(text: str) -> None:
    vocabulary = {
        token: number for number, token in enumerate([*tokenizers.SPECIAL, *(["##" + c for c in _LETTERS]), *_LETTERS])
    }
    ours = tokenizers.assemble(vocabulary | {f"[{n}]": len(vocabulary) + n for n in range(256)}, CONFIG.tokenizer)
    assert ours.decode(ours.encode(text).ids) == text


_LETTERS = sorted({letter for stem in STEMS for letter in stem})


def test_case_and_accents_are_kept_and_hanja_stand_alone(tokenizer: Tokenizer) -> None:
    normalized = tokenizer.normalizer.normalize_str("KBS café 金위원장")
    assert normalized.split() == ["KBS", "café", "金", "위원장"]


def test_only_the_five_special_tokens_are_special(tokenizer: Tokenizer) -> None:
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    assert special == list(tokenizers.SPECIAL)


def test_another_process_learns_the_same_bytes(workspace: chain.Workspace, tmp_path: Path) -> None:
    # The library numbers characters in the order of a hash map that is seeded anew in each process.
    other = chain.Workspace(tmp_path / "run")
    script = (
        "import sys; from pathlib import Path; from korbert import chain; from korbert.config import *;"
        "from korbert.tokenizer.train import run;"
        "run(Config(recipe='test', tokenizer=TokenizerConfig(vocab_size=900, limit_alphabet=200)),"
        "chain.Workspace(Path(sys.argv[1])))"
    )
    for stage in ("crawl", "corpus"):
        other.root.mkdir(exist_ok=True)
        os.symlink(workspace.path(stage), other.path(stage))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script, str(other.root)], check=True, env=environment)
    assert other.manifest("tokenizer").digest == workspace.manifest("tokenizer").digest


def test_the_vocabulary_never_passes_what_was_asked() -> None:
    config = TokenizerConfig(vocab_size=256, limit_alphabet=255)
    written = sentences(200) + [
        "".join(chr(0xAC00 + 28 * n) for n in range(start, start + 40)) for start in range(0, 360, 40)
    ]
    words = tokenizers.count_words(tokenizers.blank(), tokenizers.count_eojeols(written))
    assert tokenizers.train(written, words, config).get_vocab_size() == 256


def test_a_corpus_that_gives_fewer_entries_is_said_in_the_manifest(tmp_path: Path) -> None:
    config = Config(recipe="test", tokenizer=TokenizerConfig(vocab_size=30_000, limit_alphabet=500))
    workspace = chain.Workspace(tmp_path)
    make_corpus(workspace, config, [sentences(150)])
    counts = tokenizers.run(config, workspace).counts
    assert counts["vocab_size_asked"] == 30_000
    assert 256 <= counts["vocab_size"] < 3_000


def test_a_corpus_of_a_few_words_is_refused(tmp_path: Path) -> None:
    workspace = chain.Workspace(tmp_path)
    make_corpus(workspace, CONFIG, [["정부는 발표했다."]])
    with pytest.raises(
        UsageError, match=r"tokenizer\.vocab_size = 900: the corpus gives \d+ entries and 256 are the least"
    ):
        tokenizers.run(CONFIG, workspace)
    assert not workspace.path("tokenizer").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "crawl"]


@pytest.mark.parametrize("content", [None, "", "{}", "no json"])
def test_a_damaged_tokenizer_file_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UsageError, match=r"tokenizer\.json: "):
        tokenizers.load(tmp_path)


def test_the_settings_tell_transformers_to_keep_case_and_give_types(workspace: chain.Workspace) -> None:
    settings = json.loads((workspace.path("tokenizer") / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "BertTokenizer"
    assert settings["do_lower_case"] is False
    assert settings["mask_token"] == "[MASK]"
    assert len(list(read_documents(workspace.path("corpus")))) == 100
