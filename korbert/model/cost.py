"""What a model costs: its parameters, and the floating-point operations of a training step, for MFU.

A product of (a, b) and (b, c) is 2abc operations; the backward pass is twice the forward (Kaplan et al. 2020, section
2.1; Chowdhery et al. 2022, appendix B). Counted: every matrix product a token or a sample needs, attention among the
tokens that see each other only; the heads, and all of the last layer but its keys and values, on masked tokens and
first tokens only. Not counted: norms, activations, softmax, embedding look-ups, padding, anything computed twice.
BERT-base, vocabulary 32,000, 15 % masked: 0.516 GFLOP a token at 128 tokens, 0.555 at 512; with the last layer on
every token, as others count, 0.546 and 0.589.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from korbert.config import ModelConfig

FORWARD_AND_BACKWARD = 3
Counts = NDArray[np.int64]


def parameters(shape: ModelConfig, vocab_size: int) -> int:
    """All trained numbers of the model with its heads; the tied decoder counts once."""
    c, e, modern = shape.hidden, shape.embedding_width, shape.architecture == "modern"
    bias = 0 if modern else 1
    norm = 1 if modern else 2  # vectors a norm has
    embeddings = (vocab_size + (0 if modern else shape.max_positions + 2)) * e + norm * e
    widen = (e + 1) * c if shape.architecture == "albert" else 0
    matrices = _layer_weights(shape)
    biases = bias * (3 * c + c + shape.intermediate + c)
    layers = 1 if shape.share_layers else shape.layers
    # The modern first layer has one norm less, its encoder one at the end.
    encoder = embeddings + widen + layers * (matrices + biases + 2 * norm * c)
    heads = (c + bias) * c + (c + bias) * e + norm * e + vocab_size + 2 * (c + bias)
    return encoder + heads


def flops(shape: ModelConfig, vocab_size: int, lengths: Sequence[int], masked: Sequence[int] | Counts) -> int:
    """Operations of one forward and backward pass.

    Args:
        shape: the model.
        vocab_size: scores of the masked-token head.
        lengths: tokens of each sample, special ones included, padding not.
        masked: masked tokens of each sample.
    """
    c, e, weights = shape.hidden, shape.embedding_width, _layer_weights(shape)
    sizes, asked = np.asarray(lengths, dtype=np.int64), np.asarray(masked, dtype=np.int64)
    tokens, samples, window = int(sizes.sum()), len(sizes), shape.window(shape.layers - 1)
    wanted = int(asked.sum()) + samples
    widen = e * c if shape.architecture == "albert" else 0
    # A last layer with a window has every token's query; keys and values are every token's in each layer.
    shared = (3 if window else 2) * c * c
    dense = tokens * ((shape.layers - 1) * weights + shared + widen) + wanted * (weights - shared)
    # Scores and weighted values: two products of width C for each pair that sees each other.
    pairs = sum(_pairs(sizes, shape.window(number)) for number in range(shape.layers - 1))
    pairs += _pairs(sizes, window) if window else int(((asked + 1) * sizes).sum())
    heads = int(asked.sum()) * (c * e + e * vocab_size) + samples * (c * c + 2 * c)
    return FORWARD_AND_BACKWARD * 2 * (dense + 2 * c * pairs + heads)


def flops_a_token(shape: ModelConfig, vocab_size: int, length: int, mask_rate: float) -> float:
    """Operations a token, forward and backward, where all samples have `length` tokens and a share is masked."""
    rest = flops(shape, vocab_size, [length], [0])
    return rest / length + mask_rate * (flops(shape, vocab_size, [length], [1]) - rest)


def _layer_weights(shape: ModelConfig) -> int:
    """Entries of a layer's matrices: query, key, value, output; up (two halves with a gate) and down."""
    halves = 3 if shape.architecture == "modern" else 2
    return 4 * shape.hidden**2 + halves * shape.hidden * shape.intermediate


def _pairs(sizes: Counts, window: int) -> int:
    """Ordered pairs of tokens that see each other, over all samples."""
    if not window:
        return int((sizes**2).sum())
    # Of n * n pairs those further apart than the window are missing: two triangles of side n - window - 1.
    beyond = np.maximum(sizes - window - 1, 0)
    return int((sizes**2 - beyond * (beyond + 1)).sum())
