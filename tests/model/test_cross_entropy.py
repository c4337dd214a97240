"""The loss that uses its scores up equals torch's, values and gradients."""

import pytest
import torch
from torch.nn import functional as F

from korbert.model.cross_entropy import hits, summed_cross_entropy
from korbert.model.layout import IGNORED

LABELS = [torch.tensor([3, 0, 10, 3, 7]), torch.tensor([3, IGNORED, 10, IGNORED, 7]), torch.full((5,), IGNORED)]


def scores_of(seed: int = 0) -> torch.Tensor:
    return torch.randn(5, 11, generator=torch.Generator().manual_seed(seed)) * 4


@pytest.mark.parametrize("labels", LABELS, ids=["all", "some", "none"])
def test_loss_and_gradients_equal_torchs(labels: torch.Tensor) -> None:
    ours, theirs = scores_of().requires_grad_(), scores_of().requires_grad_()
    # A product behind it, as a decoder is: its output is overwritten, its gradient must not notice.
    loss = summed_cross_entropy(ours * 2.0, labels)
    expected = F.cross_entropy(theirs * 2.0, labels, reduction="sum")
    (loss * 0.25).backward()
    (expected * 0.25).backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-7, rtol=1e-5)


def test_half_precision_is_summed_in_fp32() -> None:
    loss = summed_cross_entropy(scores_of().bfloat16(), LABELS[0])
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, F.cross_entropy(scores_of().bfloat16().float(), LABELS[0], reduction="sum"))


def test_a_second_backward_pass_is_refused_not_wrong() -> None:
    scores = scores_of().requires_grad_()
    loss = summed_cross_entropy(scores * 1.0, LABELS[0])
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
def test_hits_are_rows_whose_greatest_score_is_the_labels(kind: torch.dtype) -> None:
    scores = scores_of().to(kind)
    best = scores.argmax(-1)
    labels = torch.stack([best[0], (best[1] + 1) % 11, torch.tensor(IGNORED), best[3], (best[4] + 5) % 11])
    assert int(hits(scores, labels)) == 2


def test_scores_that_are_no_numbers_are_no_hits() -> None:
    assert int(hits(torch.full((2, 4), torch.nan), torch.tensor([0, 1]))) == 0
