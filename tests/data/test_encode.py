"""The stage: the same artefact for any number of workers and of interruptions."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from korbert import chain
from korbert.config import Config, DataConfig, TokenizerConfig
from korbert.corpus.documents import shard_name
from korbert.data.encode import run, special_ids
from korbert.data.shards import HELD_OUT, Special, TokenStore, verify
from korbert.errors import UsageError, WorldError
from korbert.storage import publishing, read_jsonl, read_manifest, write_jsonl
from korbert.tokenizer import train as tokenizers

LETTERS = "가나다라마바사아자차카타파하은는이를에서했다말정부국회장관KBSabc0123456789金"
SIGNS = ".,“”()%·"
CONFIG = Config(
    recipe="test",
    tokenizer=TokenizerConfig(vocab_size=600, limit_alphabet=100),
    data=DataConfig(shard_tokens=100, workers=1),
)
# A stage that is killed when it is about to do something: an event of Python's audit hooks, with a name in it.
DRIVER = """
import os, signal, sys
from pathlib import Path
from korbert.chain import Workspace
from korbert.data import encode
def watch(event, arguments):
    if event == sys.argv[2] and any(str(argument).endswith(sys.argv[3]) for argument in arguments):
        os.killpg(0, signal.SIGKILL)
if __name__ == "__main__":
    workspace = Workspace(Path(sys.argv[1]))
    sys.addaudithook(watch)
    encode.run(workspace.load(), workspace)
"""


def vocabulary() -> dict[str, int]:
    filler = [f"filler{number}" for number in range(200)]
    tokens = [*tokenizers.SPECIAL, *LETTERS, *("##" + letter for letter in LETTERS), *SIGNS, "정부", "##했다", *filler]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizers.assemble(vocabulary(), CONFIG.tokenizer)


def test_a_vocabulary_without_a_special_token_is_refused() -> None:
    with pytest.raises(UsageError, match=r"has no \[MASK\]"):
        special_ids(tokenizers.blank({token: n for n, token in enumerate(tokenizers.SPECIAL[:4])}))


def make_workspace(
    root: Path, documents: list[list[str]], held_out: list[list[str]] | None = None, config: Config = CONFIG
) -> chain.Workspace:
    """A workspace whose tokenizer is done."""
    workspace = chain.Workspace(root)
    with publishing(chain.plan(CONFIG, workspace, "crawl")) as draft:
        (draft.path / "summary.json").write_text("{}")
    with publishing(chain.plan(CONFIG, workspace, "corpus")) as draft:
        fixed = {"date": "", "press": "", "section": "", "title": ""}
        records = [{"id": f"a{n}", **fixed, "sentences": sentences} for n, sentences in enumerate(documents)]
        for number in range(2):
            write_jsonl(draft.path / shard_name(number), records[number::2])
        if held_out is not None:
            apart = [{"id": f"h{n}", **fixed, "sentences": sentences} for n, sentences in enumerate(held_out)]
            write_jsonl(draft.path / shard_name(0, held_out=True), apart)
        draft.counts["documents"] = len(records)
        draft.licences["CC-BY-4.0"] = len(records)
    with publishing(chain.plan(CONFIG, workspace, "tokenizer")) as draft:
        tokenizers.save(tokenizers.assemble(vocabulary(), CONFIG.tokenizer), draft.path)
    workspace.save(config)
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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "corpus", "crawl", "tokenizer"]


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
        assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == ["corpus", "crawl", "tokenizer"]
        # What waits for the next attempt are whole shards: here none was finished.
        assert [path for path in folder.rglob(".tokens.work-*/*") if path.is_file()] == []
    assert run(config, source).counts["tokens"] > 128 * 1024


TEXTS = [[f"정부는 {n} 말했다.", "“나다” 정부 " * (n % 7), "장관(KBS)은"] for n in range(400)]
HELD = [[f"국회는 {n}했다."] for n in range(90)]


def digest(workspace: chain.Workspace) -> str:
    manifest = read_manifest(workspace.path("tokens"))
    assert manifest is not None
    return manifest.digest


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> chain.Workspace:
    """An encoding by one process that nothing has disturbed."""
    workspace = make_workspace(tmp_path_factory.mktemp("undisturbed"), TEXTS, HELD)
    run(CONFIG, workspace)
    return workspace


def test_two_processes_write_the_same_bytes_as_one(tmp_path: Path, undisturbed: chain.Workspace) -> None:
    workspace = make_workspace(tmp_path, TEXTS, HELD)
    run(replace(CONFIG, data=replace(CONFIG.data, workers=2)), workspace)
    assert digest(workspace) == digest(undisturbed)


def test_held_out_documents_have_a_store_of_their_own(undisturbed: chain.Workspace, tokenizer: Tokenizer) -> None:
    folder = undisturbed.path("tokens")
    held_out, trained = TokenStore(folder / HELD_OUT), TokenStore(folder)
    assert (sum(c.documents for c in held_out.counts), sum(c.documents for c in trained.counts)) == (90, 400)
    first = tokenizer.encode(HELD[0][0], add_special_tokens=False).ids
    assert held_out.shards[0].tokens(0, len(first)).tolist() == first
    counts = undisturbed.manifest("tokens").counts
    assert (counts["tokens"], counts["held_out_tokens"]) == (trained.tokens, held_out.tokens)
    assert counts["documents"] == 400


def test_without_held_out_documents_there_is_no_such_store(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, TEXTS[:3])
    assert run(CONFIG, workspace).counts["held_out_tokens"] == 0
    assert not (workspace.path("tokens") / HELD_OUT).exists()


def test_documents_without_a_token_keep_their_place(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, [["정부"], [], ["나다", ""], [""], ["\u200b"], ["정부", "정부"]])
    run(CONFIG, workspace)
    (shard,) = TokenStore(workspace.path("tokens")).shards
    # The corpus' order: its shards hold the even and the odd documents.
    assert np.diff(shard.document_ends, prepend=0).tolist() == [1, 1, 0, 0, 0, 2]


def unfinished(workspace: chain.Workspace) -> Path:
    (folder,) = workspace.root.glob(".tokens.work-*")
    return folder


@pytest.mark.parametrize(
    ("workers", "event", "name", "whole"),
    [
        (1, "open", "tokens-00000.bin", 0),
        (1, "open", "tokens-00003.bin", 3),
        (2, "open", "sentences-00004.npy", 4),
        (1, "os.rename", "shard-00009.json", 9),
        (1, "open", "held_out/starts-00002.bin", 20),
        (2, "os.link", "documents-00005.npy", 20),
        (1, "os.rename", "/tokens", 20),
    ],
)
def test_a_killed_encoding_goes_on_after_its_last_shard_and_gives_the_same_bytes(
    tmp_path: Path, undisturbed: chain.Workspace, workers: int, event: str, name: str, whole: int
) -> None:
    config = replace(CONFIG, data=replace(CONFIG.data, workers=workers))
    workspace = make_workspace(tmp_path, TEXTS, HELD, config)
    kept = killed(workspace, event, name)
    assert len(kept) >= 4 * whole
    assert not workspace.path("tokens").exists()
    run(CONFIG, workspace)
    assert digest(workspace) == digest(undisturbed)
    # The very files of the killed attempt.
    assert {name: (workspace.path("tokens") / name).stat().st_ino for name in kept} == kept
    assert list(workspace.root.glob(".tokens.*")) == []


def killed(workspace: chain.Workspace, event: str, name: str) -> dict[str, int]:
    """Starts an encoding that is killed at this event; answers the inodes of the files of its finished shards."""
    driver = workspace.root / "driver.py"
    driver.write_text(DRIVER)
    arguments = [sys.executable, str(driver), str(workspace.root), event, name]
    assert subprocess.run(arguments, start_new_session=True).returncode == -signal.SIGKILL
    files = {path.name: path.stat().st_ino for path in unfinished(workspace).iterdir() if path.is_file()}
    noted = {path.stem[-6:] for path in unfinished(workspace).glob("shard-*.json")}
    return {name: inode for name, inode in files.items() if name[-10:-4] in noted}


def test_a_finished_shard_that_has_lost_bytes_is_made_again(tmp_path: Path, undisturbed: chain.Workspace) -> None:
    workspace = make_workspace(tmp_path, TEXTS, HELD)
    killed(workspace, "os.rename", "shard-00005.json")
    path = unfinished(workspace) / "tokens-00002.bin"
    path.write_bytes(path.read_bytes()[:-2])
    run(CONFIG, workspace)
    assert digest(workspace) == digest(undisturbed)


def test_the_manifest_counts_the_seconds_of_all_attempts(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, TEXTS, HELD)
    killed(workspace, "os.rename", "shard-00002.json")
    record = unfinished(workspace) / "shard-00000.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"seconds": 5_000.0}))
    assert run(CONFIG, workspace).seconds > 5_000


MORPHEMES = replace(CONFIG, data=replace(CONFIG.data, mask_unit="morpheme"))


def test_morpheme_starts_are_a_file_more_and_change_no_other(tmp_path: Path, undisturbed: chain.Workspace) -> None:
    pytest.importorskip("mecab_ko")
    workspace = make_workspace(tmp_path, TEXTS, HELD, MORPHEMES)
    killed(workspace, "open", "tokens-00007.bin")
    manifest = run(replace(MORPHEMES, data=replace(MORPHEMES.data, workers=2)), workspace)
    before = undisturbed.manifest("tokens")
    more = {name for name in manifest.files if "morphemes-" in name}
    assert manifest.files.keys() - more == before.files.keys()
    differing = {name for name, record in before.files.items() if record["sha256"] != manifest.files[name]["sha256"]}
    assert differing == {"index.json", "held_out/index.json"}
    store = TokenStore(workspace.path("tokens"))
    assert len(more) == len(store.shards) + len(TokenStore(workspace.path("tokens") / HELD_OUT).shards)
    for shard, counts in zip(store.shards, store.counts, strict=True):
        assert shard.morphemes is not None
        words, morphemes = shard.starts(0, counts.tokens), shard.morphemes.between(0, counts.tokens)
        assert not (words & ~morphemes).any()
    assert store.words < store.morphemes < store.tokens
    assert manifest.counts["tokens_per_morpheme"] == round(store.tokens / store.morphemes, 4)
    assert manifest.config == before.config | {"data.mask_unit": "morpheme"}


def test_a_shard_without_its_morpheme_starts_is_made_again(tmp_path: Path) -> None:
    pytest.importorskip("mecab_ko")
    workspace = make_workspace(tmp_path, TEXTS[:60], HELD, MORPHEMES)
    killed(workspace, "os.rename", "shard-00002.json")
    (unfinished(workspace) / "morphemes-00001.bin").unlink()
    run(MORPHEMES, workspace)
    assert TokenStore(workspace.path("tokens")).morphemes > 0


@pytest.mark.parametrize("name", ["tokens-00001.bin", "starts-00000.bin", "held_out/sentences-00000.npy"])
def test_a_flipped_bit_is_one_line_that_names_the_shard(tmp_path: Path, name: str) -> None:
    workspace = make_workspace(tmp_path, TEXTS[:40], HELD)
    run(CONFIG, workspace)
    verify(workspace.path("tokens"))
    path = workspace.path("tokens") / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 8
    path.write_bytes(content)
    with pytest.raises(
        UsageError, match=f"{name} has another checksum than.*; run: korbert run --from tokens"
    ) as error:
        verify(workspace.path("tokens"))
    assert "\n" not in str(error.value)
