"""Attention: every form gives the same answer, with and without windows."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from korbert.model.attention import (
    attend,
    attend_flash,
    attend_flash_from,
    attend_from,
    attend_masked,
    attend_masked_from,
    attend_padded,
    attend_singly,
    attend_singly_from,
    attend_varlen,
    attend_varlen_from,
    varlen_kernel,
)
from korbert.model.layout import Layout, layout_of, wanted_of

LENGTHS = [7, 12, 3, 1]
CPU = torch.device("cpu")
WINDOWS = pytest.mark.parametrize("window", [0, 1, 3, 100])


@pytest.fixture
def qkv() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(sum(LENGTHS), 3, 4, 8, generator=generator)


def by_hand(qkv: torch.Tensor, window: int) -> torch.Tensor:
    """Softmax over the keys that a query sees, one query at a time."""
    answers, begin = [], 0
    for length in LENGTHS:
        for i in range(begin, begin + length):
            first, last = (
                (max(begin, i - window), min(begin + length, i + window + 1)) if window else (begin, begin + length)
            )
            q, k, v = qkv[i, 0], qkv[first:last, 1], qkv[first:last, 2]
            weights = (torch.einsum("hd,nhd->hn", q, k) / qkv.shape[-1] ** 0.5).softmax(-1)
            answers.append(torch.einsum("hn,nhd->hd", weights, v))
        begin += length
    return torch.stack(answers)


@WINDOWS
@pytest.mark.parametrize("form", [attend_singly, attend_padded])
def test_forms_by_lengths_equal_attention_by_hand(form, qkv: torch.Tensor, window: int) -> None:
    torch.testing.assert_close(form(qkv, LENGTHS, window), by_hand(qkv, window), atol=1e-6, rtol=1e-5)


@WINDOWS
def test_the_form_by_borders_equals_attention_by_hand(qkv: torch.Tensor, window: int) -> None:
    output = attend_masked(qkv, layout_of(LENGTHS, CPU), window)
    torch.testing.assert_close(output, by_hand(qkv, window), atol=1e-6, rtol=1e-5)


@WINDOWS
def test_lengths_that_the_host_does_not_know_give_the_same_answer(qkv: torch.Tensor, window: int) -> None:
    unknown = layout_of(LENGTHS, CPU)._replace(lengths=None)
    torch.testing.assert_close(attend(qkv, unknown, window), attend(qkv, LENGTHS, window), atol=1e-6, rtol=1e-5)


@WINDOWS
@pytest.mark.parametrize("form", [attend_singly, attend_padded])
def test_gradients_of_all_forms_are_those_of_attention_by_hand(form, qkv: torch.Tensor, window: int) -> None:
    weights = torch.randn(sum(LENGTHS), 4, 8, generator=torch.Generator().manual_seed(3))

    def gradient(answer) -> torch.Tensor:
        leaf = qkv.clone().requires_grad_()
        (answer(leaf) * weights).sum().backward()
        return leaf.grad

    expected = gradient(lambda leaf: by_hand(leaf, window))
    torch.testing.assert_close(gradient(lambda leaf: form(leaf, LENGTHS, window)), expected, atol=1e-5, rtol=1e-4)
    masked = gradient(lambda leaf: attend_masked(leaf, layout_of(LENGTHS, CPU), window))
    torch.testing.assert_close(masked, expected, atol=1e-5, rtol=1e-4)


def test_the_kernel_called_by_name_gives_the_very_numbers_of_one_call_a_sample(qkv: torch.Tensor) -> None:
    weights = torch.randn(sum(LENGTHS), 4, 8, generator=torch.Generator().manual_seed(3))
    found = []
    for form in (attend_flash, attend_singly):
        leaf = qkv.clone().requires_grad_()
        output = form(leaf, LENGTHS)
        (output * weights).sum().backward()
        found.append((output.detach(), leaf.grad))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_empty_samples_at_the_end_change_nothing(qkv: torch.Tensor) -> None:
    layout = layout_of(LENGTHS, CPU)
    more = Layout(torch.cat([layout.bounds, layout.bounds[-1:].repeat(3)]), layout.longest, None)
    torch.testing.assert_close(attend(qkv, more), attend(qkv, LENGTHS), atol=1e-6, rtol=1e-5)


def reference(q, k, v, bounds_q, bounds_k, longest_q, longest_k, *, window_size) -> torch.Tensor:
    """What torch documents of `varlen_attn`, a sample at a time: (-1, -1) is everything, else keys to each side."""
    assert bounds_q.dtype == bounds_k.dtype == torch.int32
    outputs = []
    for first, last, begin, end in zip(*(b.tolist() for b in (bounds_q, bounds_q[1:], bounds_k, bounds_k[1:]))):  # noqa: B905
        assert last - first <= longest_q
        assert end - begin <= longest_k
        distance = torch.arange(end - begin)[None] - torch.arange(last - first)[:, None]  # key - query
        left, right = (window if window >= 0 else end for window in window_size)
        seen = (distance >= -left) & (distance <= right)
        heads = (q[first:last].transpose(0, 1), *(part[begin:end].transpose(0, 1) for part in (k, v)))
        outputs.append(scaled_dot_product_attention(*heads, attn_mask=seen).transpose(0, 1))
    return torch.cat(outputs)


# Out of order, one twice, one sample whole.
ASKED = [21, 0, 22, 8, 3, 19, 20, 8, 18]
FORMS_OF_SOME = {
    "whichever runs": lambda q, kv, layout, wanted: attend_from(q, kv, layout, wanted),
    "unknown lengths": lambda q, kv, layout, wanted: attend_from(
        q, kv, layout._replace(lengths=None), wanted._replace(counts=None)
    ),
    "masked": attend_masked_from,
    "singly": lambda q, kv, layout, wanted: attend_singly_from(q, kv, wanted.counts, layout.lengths),
    "flash": lambda q, kv, layout, wanted: attend_flash_from(q, kv, wanted.counts, layout.lengths),
    "varlen": lambda q, kv, layout, wanted: attend_varlen_from(q, kv, layout, wanted, reference),
}


@pytest.mark.parametrize("form", FORMS_OF_SOME.values(), ids=FORMS_OF_SOME)
def test_tokens_that_are_wanted_get_the_attention_and_the_gradients_they_get_among_all(form, qkv: torch.Tensor) -> None:
    layout = layout_of(LENGTHS, CPU)
    wanted = wanted_of(layout, torch.tensor(ASKED))
    weights = torch.randn(len(ASKED), 4, 8, generator=torch.Generator().manual_seed(3))

    def found(answer) -> tuple[torch.Tensor, torch.Tensor]:
        leaf = qkv.clone().requires_grad_()
        output = answer(leaf)
        (output * weights).sum().backward()
        return output.detach(), leaf.grad

    some = found(lambda leaf: form(leaf[wanted.places, 0], leaf[:, 1:], layout, wanted)[wanted.order])
    among_all = found(lambda leaf: by_hand(leaf, 0)[torch.tensor(ASKED)])
    for one, other in zip(some, among_all, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@WINDOWS
def test_the_varlen_call_means_what_torch_documents(qkv: torch.Tensor, window: int) -> None:
    output = attend_varlen(qkv, layout_of(LENGTHS, CPU), window, reference)
    torch.testing.assert_close(output, by_hand(qkv, window), atol=1e-6, rtol=1e-5)


@WINDOWS
def test_torchs_own_varlen_kernel_takes_our_arguments(window: int) -> None:
    """On the meta device: names, types and shapes of the installed torch's kernel, without a GPU; no values."""
    kernel = varlen_kernel()
    if kernel is None:
        pytest.skip("this torch has no torch.nn.attention.varlen")
    qkv = torch.empty(sum(LENGTHS), 3, 4, 8, dtype=torch.bfloat16, device="meta")
    output = attend_varlen(qkv, layout_of(LENGTHS, torch.device("meta")), window, kernel)
    assert output.shape == (sum(LENGTHS), 4, 8)
    assert output.dtype == torch.bfloat16
    wanted = wanted_of(layout_of(LENGTHS, CPU), torch.tensor(ASKED))
    wanted = wanted._replace(bounds=wanted.bounds.to("meta"))
    some = attend_varlen_from(
        qkv[: len(ASKED), 0], qkv[:, 1:], layout_of(LENGTHS, torch.device("meta")), wanted, kernel
    )
    assert some.shape == (len(ASKED), 4, 8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@WINDOWS
def test_flash_attention_over_borders_equals_attention_by_hand_in_half_precision(
    qkv: torch.Tensor, window: int
) -> None:
    halves = qkv.to(torch.bfloat16)
    output = attend(halves.cuda(), LENGTHS, window)
    torch.testing.assert_close(output.float().cpu(), by_hand(halves.float(), window), atol=2e-2, rtol=2e-2)
