"""Training that starts from a folder: its weights and no others, and one line where they cannot be had."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining

from korbert.chain import Workspace
from korbert.config import Config
from korbert.errors import UsageError
from korbert.training.course import course
from korbert.training.device import CpuAccelerator
from korbert.training.export import write_model
from korbert.training.process_group import Group, World
from korbert.training.start import initial_model, require_start
from korbert.training.trainer import Trainer

MakeWorkspace = Callable[..., tuple[Config, Workspace]]
# As the workspaces' config and tokens: see conftest.
SIZE = {
    "vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 32, "pad_token_id": 0,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As transformers writes it."""
    torch.manual_seed(3)
    BertForPreTraining(BertConfig(**SIZE)).save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def _trainer(config: Config, workspace: Workspace) -> Trainer:
    return Trainer(course(config, workspace), World(), CpuAccelerator(), Group(World(), None), pytest.fail)


def _train(trainer: Trainer) -> Trainer:
    assert trainer.run(lambda *_: None, lambda: False)
    return trainer


def test_the_first_step_has_the_folders_weights(make_workspace: MakeWorkspace, folder: Path) -> None:
    trainer = _trainer(*make_workspace(f"training.start={folder}"))
    theirs = load_file(folder / "model.safetensors")
    own = trainer.model.state_dict()
    assert torch.equal(own["encoder.embeddings.tokens.weight"], theirs["bert.embeddings.word_embeddings.weight"])
    assert torch.equal(own["order.weight"], theirs["cls.seq_relationship.weight"])


@pytest.mark.parametrize("architecture", ["bert", "albert", "modern"])
def test_an_export_goes_on_where_its_training_ended(
    make_workspace: MakeWorkspace, tmp_path: Path, architecture: str
) -> None:
    kind = f"model.architecture={architecture}"
    config, workspace = make_workspace(kind, "training.max_steps=6", "model.dropout=0.0")
    first = _train(_trainer(config, workspace))
    write_model(tmp_path / "export", first.model.state_dict(), config.model)
    again = _trainer(*make_workspace(kind, f"training.start={tmp_path / 'export'}", "model.dropout=0.0"))
    own = first.model.state_dict()
    assert all(torch.equal(weight, own[name]) for name, weight in again.model.state_dict().items())
    assert again.progress.step == 0


def test_a_checkpoint_wins_over_the_start(make_workspace: MakeWorkspace, folder: Path) -> None:
    arguments = (f"training.start={folder}", "training.max_steps=10", "training.ema=0.9")
    config, workspace = make_workspace(*arguments)
    steps = iter(range(1, 99))
    assert not _trainer(config, workspace).run(lambda *_: None, lambda: next(steps) == 7)
    resumed = _trainer(config, workspace)
    assert resumed.progress.step == 7
    whole, undisturbed = _train(resumed), _train(_trainer(*make_workspace(*arguments)))
    own = undisturbed.model.state_dict()
    assert all(torch.equal(weight, own[name]) for name, weight in whole.model.state_dict().items())


def test_heads_that_the_folder_lacks_are_drawn_by_the_seed(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    torch.manual_seed(3)
    BertForMaskedLM(BertConfig(**SIZE)).save_pretrained(tmp_path / "mlm")
    start = f"training.start={tmp_path / 'mlm'}"
    one, again, two = (
        _trainer(*make_workspace(start, f"seed={seed}")).model.state_dict()["order.weight"] for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, two)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("model.layers=2",), "another shape than model.* says; start with it by: --set model.layers=1"),
        (("model.intermediate=128", "model.heads=4"), "by: --set model.heads=2 --set model.intermediate=64"),
        (("model.architecture=modern",), "by: --set model.architecture=bert"),
    ],
)
def test_a_model_of_another_shape_is_refused_with_the_fields_to_set(
    make_workspace: MakeWorkspace, folder: Path, settings: tuple[str, ...], message: str
) -> None:
    config, workspace = make_workspace(f"training.start={folder}", *settings)
    with pytest.raises(UsageError) as caught:
        initial_model(config, course(config, workspace).store)
    assert str(caught.value).endswith(message)
    assert "\n" not in str(caught.value)


def test_another_vocabulary_is_refused_by_its_size(make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    BertForPreTraining(BertConfig(**SIZE | {"vocab_size": 310})).save_pretrained(tmp_path / "bert")
    config, workspace = make_workspace(f"training.start={tmp_path / 'bert'}")
    with pytest.raises(UsageError, match="its vocabulary has 310 entries and pads with 0, the tokens' has 300"):
        _trainer(config, workspace)


def test_another_vocabulary_of_the_same_size_is_refused(
    make_workspace: MakeWorkspace, folder: Path, tmp_path: Path
) -> None:
    config, workspace = make_workspace(f"training.start={folder}")
    store = course(config, workspace).store
    require_start(config, store, tmp_path)  # no tokenizer beside the model: nothing to compare
    for place, word in ((folder, "가"), (tmp_path, "나")):
        (place / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"[PAD]": 0, word: 1}}}))
    with pytest.raises(UsageError, match="its vocabulary is not that of"):
        require_start(config, store, tmp_path)
    require_start(config, store, folder)


def test_weights_that_do_not_fit_their_config_are_refused(make_workspace: MakeWorkspace, folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["bert.encoder.layer.0.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config, workspace = make_workspace(f"training.start={folder}")
    with pytest.raises(UsageError, match="has no weight bert.encoder.layer.0.output.dense.weight"):
        _trainer(config, workspace)
