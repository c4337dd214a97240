"""Every architecture goes the whole way: trained by two real workers, exported, loaded by transformers."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer

from korbert.model.build import build
from korbert.model.exchange import to_transformers, transformers_config, weights_beside
from korbert.model.folder import from_folder
from korbert.training import export, launch

# Of the fixtures' shape: one layer of width 32. Two layers show that they share, and that one has a window.
ALBERT = ("model.architecture=albert", "model.share_layers=true", "model.embedding=16", "model.layers=2")
MODERN = ("model.architecture=modern", "model.local_attention=8", "model.layers=2")


@pytest.mark.parametrize("assignments", [ALBERT, MODERN], ids=["albert", "modern"])
def test_a_trained_model_is_exported_with_the_logits_it_was_trained_to(
    assignments: tuple[str, ...], make_workspace, tmp_path: Path
) -> None:
    config, workspace = make_workspace(*assignments, "training.max_steps=6")
    launch.run(config, workspace)
    weights = load_file(workspace.path("pretrain") / "model.safetensors")
    folder = tmp_path / "folder"
    export.write_model(folder, weights, config.model)
    torch.manual_seed(config.seed)  # what training began from
    fresh = build(config.model, 300)
    trained = build(config.model, 300)
    trained.load_state_dict(weights)
    trained.eval()
    tokens = torch.randint(5, 300, (20,), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        hidden = trained.encoder(tokens, torch.arange(20), torch.zeros(20, dtype=torch.long), [20])
        ours = trained.token_logits(hidden)
        theirs = AutoModelForMaskedLM.from_pretrained(folder).eval()(input_ids=tokens[None])
    torch.testing.assert_close(theirs.logits[0], ours, atol=1e-5, rtol=1e-5)
    learnt = {name for name, weight in fresh.state_dict().items() if not torch.equal(weight, weights[name])}
    assert learnt == weights.keys()
    again = from_folder(folder, dropout=config.model.dropout)
    assert (again.shape, again.drawn) == (config.model, ())
    assert all(torch.equal(weight, weights[name]) for name, weight in again.model.state_dict().items())


@pytest.mark.parametrize("assignments", [ALBERT, MODERN], ids=["albert", "modern"])
def test_a_classifier_of_the_exported_model_draws_its_own_head_only(
    assignments: tuple[str, ...], make_workspace, tmp_path: Path
) -> None:
    config, _ = make_workspace(*assignments)
    export.write_model(tmp_path / "folder", build(config.model, 300).state_dict(), config.model)
    _, info = AutoModelForSequenceClassification.from_pretrained(tmp_path / "folder", output_loading_info=True)
    assert sorted(info["missing_keys"]) == ["classifier.bias", "classifier.weight"]


def test_the_config_and_the_weights_of_an_export_are_of_one_model(make_workspace, tmp_path: Path) -> None:
    config, _ = make_workspace(*MODERN)
    weights = build(config.model, 300).state_dict()
    export.write_model(tmp_path / "folder", weights, config.model)
    assert load_file(tmp_path / "folder" / "model.safetensors").keys() == to_transformers(weights, config.model).keys()
    beside = load_file(tmp_path / "folder" / "sentence_order.safetensors")
    assert beside.keys() == weights_beside(weights, config.model).keys()
    assert json.loads((tmp_path / "folder" / "config.json").read_text()) == transformers_config(config.model, 300, 0)


@pytest.mark.parametrize("assignments", [(), ALBERT, MODERN], ids=["bert", "albert", "modern"])
def test_what_the_tokenizer_gives_for_a_pair_is_what_the_exported_model_takes(
    assignments: tuple[str, ...], make_workspace, encoder: Path, tmp_path: Path
) -> None:
    """Beside ModernBERT, which has no segments, it gives none. The tokens are the same, and segments that are given all
    the same do no harm."""
    config, _ = make_workspace(*assignments)
    folder, trained = tmp_path / "folder", AutoTokenizer.from_pretrained(encoder)
    model = build(config.model, len(trained)).eval()
    export.write_model(folder, model.state_dict(), config.model)
    for file in encoder.glob("*token*"):
        (folder / file.name).write_bytes(file.read_bytes())
    export.fit_tokenizer(folder, config.model)
    inputs = trained("영화가 좋다", "또 보자", return_tensors="pt")
    given = AutoTokenizer.from_pretrained(folder)("영화가 좋다", "또 보자", return_tensors="pt")
    assert torch.equal(given["input_ids"], inputs["input_ids"])
    assert ("token_type_ids" in given) == (config.model.architecture != "modern")
    tokens, segments = inputs["input_ids"][0], inputs["token_type_ids"][0]
    with torch.inference_mode():
        theirs = AutoModelForMaskedLM.from_pretrained(folder).eval()
        ours = model.token_logits(model.encoder(tokens, torch.arange(len(tokens)), segments, [len(tokens)]))
        for arguments in (inputs, given):
            torch.testing.assert_close(theirs(**arguments).logits[0], ours, atol=1e-5, rtol=1e-5)
