"""The peer gets equal work: the same samples, masks and weights, and its loss is ours."""

from pathlib import Path

import pytest
import torch

from korbert.bench.peer import BATCH, Peer, collator, examples, peer_model
from korbert.bench.step import Ours
from korbert.config import Config
from korbert.data.loader import MicroBatch


def parts_of(ours: Ours, step: int = 0) -> list[MicroBatch]:
    return [part for part in ours.loader.batch(step).micro_batches if part]


def test_both_sides_compute_the_same_losses_on_the_same_samples(config: Config, tokens: Path) -> None:
    ours = Ours(config, tokens)
    (batch, *_) = parts_of(ours)
    peer = peer_model(ours.model, config.model, ours.store, 0.0).eval()
    padded = collator(ours.store)(examples([batch]))
    fields = ("tokens", "positions", "segments", "masked", "labels", "swapped")
    with torch.inference_mode():
        losses = ours.model.eval()(
            **{name: torch.from_numpy(getattr(batch, name)) for name in fields}, lengths=batch.lengths
        )
        loss = peer(**padded).loss
    assert int(padded["attention_mask"].sum()) == len(batch.tokens)
    expected = losses.mlm / len(batch.masked) + losses.sop / len(batch.lengths)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_examples_hold_each_sample_once_with_its_masks(config: Config, tokens: Path) -> None:
    ours = Ours(config, tokens)
    batches = parts_of(ours)
    found = examples(batches)
    assert [len(one["input_ids"]) for one in found] == [length for batch in batches for length in batch.lengths]
    assert sum(label != -100 for one in found for label in one["labels"]) == sum(len(b.masked) for b in batches)
    assert [one["next_sentence_label"] for one in found] == [int(s) for batch in batches for s in batch.swapped]


def test_a_batch_is_padded_to_its_own_longest_sample(config: Config, tokens: Path) -> None:
    ours = Ours(config, tokens)
    found = examples(parts_of(ours))[:BATCH]
    padded = collator(ours.store)(found)
    longest = max(len(one["input_ids"]) for one in found)
    assert padded["input_ids"].shape == padded["labels"].shape == (len(found), longest)
    assert int((padded["labels"] == -100).sum()) > int((padded["attention_mask"] == 0).sum()) > 0


def test_the_trainer_trains_round_after_round_and_keeps_its_optimiser(
    config: Config, tokens: Path, tmp_path: Path
) -> None:
    ours = Ours(config, tokens)
    peer = Peer(ours.model, config.model, ours.store, 0.0, str(tmp_path / "peer"), ours.accelerator)
    seen = [peer.model.bert.embeddings.word_embeddings.weight.detach().clone()]
    for step in range(2):
        taken = peer.train(examples(parts_of(ours, step)))
        assert taken.wall > 0
        assert taken.processor > 0
        seen.append(peer.model.bert.embeddings.word_embeddings.weight.detach().clone())
        assert not seen[-1].equal(seen[-2])
    dropped = [module.p for module in peer.model.modules() if isinstance(module, torch.nn.Dropout)]
    assert dropped
    assert set(dropped) == {0.0}
