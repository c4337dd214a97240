"""The chain knows what is fresh, what is stale and why, from manifests alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from korbert import chain, recipes
from korbert.chain import CHAIN, LATER, NEUTRAL, STAGES, Workspace
from korbert.config import Config, overridden, to_dict
from korbert.errors import UsageError
from korbert.storage import publishing, resumable

NAMES = [stage.name for stage in CHAIN]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A run over files of its own, so that a test may change them."""
    nsmc = tmp_path / "nsmc"
    nsmc.mkdir()
    for name in ("ratings_train.txt", "ratings_test.txt"):
        (nsmc / name).write_text("id\tdocument\tlabel\n")
    (tmp_path / "articles.jsonl").write_text('{"id": "1"}\n')
    base = recipes.demo()
    return replace(
        base,
        crawl=replace(base.crawl, articles=str(tmp_path / "articles.jsonl")),
        finetune=replace(base.finetune, data=str(nsmc)),
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "run")


def publish(config: Config, workspace: Workspace, stage: str, content: str = "") -> None:
    with publishing(chain.plan(config, workspace, stage)) as draft:
        (draft.path / "content").write_text(content or stage)


@pytest.fixture
def finished(config: Config, workspace: Workspace) -> Workspace:
    for name in NAMES:
        publish(config, workspace, name)
    return workspace


def states(config: Config, workspace: Workspace) -> dict[str, str]:
    return {name: chain.state(config, workspace, name).state for name in NAMES}


def test_stages_read_only_stages_before_them_and_fields_that_exist() -> None:
    values = to_dict(recipes.demo())
    for number, stage in enumerate(CHAIN):
        assert set(stage.after) <= set(NAMES[:number])
        for name in stage.reads:
            section, _, field = name.partition(".")
            assert section in values
            assert not field or field in values[section]
    for name in NEUTRAL:
        section, _, field = name.partition(".")
        assert field in values[section]


def test_a_finished_chain_is_fresh(config: Config, finished: Workspace) -> None:
    assert set(states(config, finished).values()) == {"fresh"}


@pytest.mark.parametrize(
    ("setting", "stale"),
    [
        ("crawl.limit=5", {"crawl"}),
        ("corpus.min_characters=7", {"corpus"}),
        ("tokenizer.vocab_size=5000", {"tokenizer"}),
        ("data.mask_rate=0.2", {"pretrain"}),
        ("data.mask_unit=morpheme", {"tokens", "pretrain"}),
        ("model.layers=1", {"pretrain"}),
        ("training.lr=1", {"pretrain"}),
        ("seed=9", {"pretrain"}),
        ("finetune.lr=1", {"finetune"}),
        ("finetune.patience=2", {"finetune"}),
        ("finetune.class_weights=balanced", {"finetune"}),
        ("finetune.max_tokens=32", {"finetune", "tune"}),
        ("tune.trials=1", {"tune"}),
    ],
)
def test_a_changed_field_makes_the_stages_that_read_it_stale(
    config: Config, finished: Workspace, setting: str, stale: set[str]
) -> None:
    changed = overridden(config, [setting])
    assert {name for name, state in states(changed, finished).items() if state == "stale"} == stale
    field = setting.split("=")[0]
    assert all(field in chain.state(changed, finished, name).why for name in stale)


@pytest.mark.parametrize(
    "field",
    sorted(NEUTRAL - {"crawl.articles", "finetune.data", "corpus.sources", "corpus.evaluation", "training.start"}),
)
def test_fields_of_speed_and_manners_leave_everything_fresh(config: Config, finished: Workspace, field: str) -> None:
    section, name = field.split(".")
    value = getattr(getattr(config, section), name)
    other = f"{value}x" if isinstance(value, str) else str(value + 7)
    other = {
        "training.device": "cpu",
        "training.checkpoint_url": "file:///elsewhere",
        "training.static_shapes": "true",
        "training.compile": "true",
        "crawl.raw": "postgres",
        "corpus.engine": "ray",
    }.get(field, other)
    also = ["training.static_shapes=true"] if field == "training.compile" else []
    assert set(states(overridden(config, [f"{field}={other}", *also]), finished).values()) == {"fresh"}


def test_later_fields_exist_and_leave_no_record_at_the_value_that_changes_nothing(
    config: Config, finished: Workspace
) -> None:
    recorded = set().union(*(finished.manifest(name).config for name in NAMES))
    for name, value in LATER.items():
        section, _, field = name.partition(".")
        assert getattr(getattr(config, section), field) == value
        assert name not in recorded
    assert {"data.shard_tokens", "data.mask_rate"} <= recorded


def test_a_remade_artefact_with_other_content_makes_its_readers_stale(config: Config, finished: Workspace) -> None:
    publish(config, finished, "tokenizer", "another vocabulary")
    got = {name: chain.state(config, finished, name) for name in NAMES}
    assert {name for name, state in got.items() if state.state == "stale"} == {"tokens", "export"}
    assert got["tokens"].why == "tokenizer has changed"


def test_a_remade_artefact_with_the_same_content_leaves_its_readers_fresh(config: Config, finished: Workspace) -> None:
    publish(config, finished, "corpus")
    assert set(states(config, finished).values()) == {"fresh"}


def test_changed_input_files_are_noticed(config: Config, finished: Workspace) -> None:
    Path(config.crawl.articles).write_text('{"id": "2"}\n')
    (Path(config.finetune.data) / "ratings_test.txt").write_text("id\tdocument\tlabel\n1\t좋다\t1\n")
    stale = {name: chain.state(config, finished, name).why for name in ("crawl", "finetune", "tune")}
    assert stale == {"crawl": "articles has changed", "finetune": "nsmc has changed", "tune": "nsmc has changed"}


def test_a_model_to_start_from_counts_by_its_content_wherever_it_lies(
    config: Config, workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("here", "there", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"other" if name == "other" else b"weights")
        (tmp_path / name / "tokenizer.json").write_text(name)
    started = {name: overridden(config, [f"training.start={tmp_path / name}"]) for name in ("here", "there", "other")}
    for name in NAMES:
        publish(started["here"], workspace, name)
    got = {name: chain.state(changed, workspace, "pretrain").why for name, changed in started.items()}
    assert got == {"here": "", "there": "", "other": "start has changed"}
    assert chain.state(config, workspace, "pretrain").why == "start is an input no more"
    assert states(started["other"], workspace)["tokens"] == "fresh"


def test_a_folder_that_holds_no_model_is_named_before_anything_runs(config: Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"training.start = .*: is no model's folder \(no config.json in it\)"):
        chain.check_inputs(overridden(config, [f"training.start={tmp_path}"]))


def test_damage_absence_and_interruption_are_told_apart(config: Config, finished: Workspace) -> None:
    (finished.path("tokens") / "content").unlink()
    state = chain.state(config, finished, "tokens")
    assert (state.state, state.why) == ("stale", "content is missing")
    empty = Workspace(finished.root / "other")
    assert chain.state(config, empty, "crawl").state == "absent"
    with pytest.raises(KeyboardInterrupt), resumable(replace(chain.plan(config, empty, "crawl"))):
        raise KeyboardInterrupt
    assert chain.state(config, empty, "crawl").state == "unfinished"


def test_a_plan_needs_the_stages_before_it(config: Config, workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="stage crawl has not finished; run: korbert run"):
        chain.plan(config, workspace, "corpus")


def test_a_missing_input_is_named_before_anything_runs(config: Config, tmp_path: Path) -> None:
    (tmp_path / "nsmc" / "ratings_test.txt").unlink()
    with pytest.raises(UsageError, match="ratings_test.txt: No such file"):
        chain.check_inputs(config)


def test_a_workspace_remembers_its_config(config: Config, workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="is no workspace"):
        workspace.load()
    workspace.save(config)
    assert workspace.load() == config


def test_the_files_that_ship_are_found() -> None:
    assert chain.shipped_articles().is_file()
    assert (chain.shipped_nsmc() / "ratings_train.txt").is_file()
    assert STAGES["crawl"].after == ()
