"""What a worker's training needs of memory, estimated before it begins."""

from __future__ import annotations

from typing import NamedTuple

from korbert.config import Config, ModelConfig
from korbert.model.cost import parameters

# Bytes a parameter: weight and gradient in fp32, and the optimiser's moments (AdamW and LAMB have two; Muon one for
# matrices). With bf16 products the fp32 weights stay, so it is 16 there too (Rajbhandari et al. 2020, ZeRO, section 3).
BYTES_A_PARAMETER = {"adamw": 16, "lamb": 16, "muon": 12}
AVERAGE_BYTES = 4
"""More a parameter for the moving average."""
# Copies of the scores over the vocabulary that the masked-token loss holds: scores, their softmax, its gradient.
_SCORES = 3


class Need(NamedTuple):
    """Bytes of one worker."""

    state: int
    """Weights, gradients and the optimiser's state: exact but for buffers, whatever the batch."""
    activations: int
    """What the backward pass of one micro-batch needs of the forward pass: an estimate."""

    @property
    def total(self) -> int:
        """Both."""
        return self.state + self.activations


def needed(config: Config, vocab_size: int) -> Need:
    """What training `config` with so many entries of vocabulary needs."""
    training, count = config.training, parameters(config.model, vocab_size)
    state = count * (BYTES_A_PARAMETER[training.optimizer] + (AVERAGE_BYTES if training.ema else 0))
    tokens = training.rows_per_micro_batch * training.row_tokens
    width = 2 if training.precision == "bf16" else 4
    masked = tokens * max(config.data.mask_rate, config.data.mask_rate_end)
    scores = _SCORES * 4 * masked * vocab_size
    return Need(state, int(tokens * config.model.layers * activations_a_token(config.model, width) + scores))


def activations_a_token(shape: ModelConfig, width: int) -> int:
    """Bytes that a layer keeps of a token: 8 vectors of width C (inputs of both norms, of query-key-value, the three
    themselves, of the output matrix and of the first feed-forward one) and 2 of the feed-forward width (3 with a gate),
    and a byte a dropped number (Korthikanti et al. 2022, section 4, without the attention's scores, which flash
    attention does not keep).

    Args:
        shape: the model.
        width: bytes a number.
    """
    halves = 3 if shape.architecture == "modern" else 2
    return width * (8 * shape.hidden + halves * shape.intermediate) + (2 * shape.hidden if shape.dropout else 0)
