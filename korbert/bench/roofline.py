"""How much of this machine's own matrix rate a training step reaches (MFU, Chowdhery et al. 2022, appendix B).

The rate is that of the fastest of several products of square matrices, measured between the rounds of the same run by
a thread a core; a GPU's is that of the training's precision (`korbert.training.peak`). The step's operations are
counted by `korbert.model.cost`: what the model needs, nothing twice.
"""

from __future__ import annotations

import torch

from korbert.bench.measure import Seconds
from korbert.training import peak
from korbert.training.device import Accelerator

SIDE = 1024
PRODUCTS = 8


def matrix_rate(accelerator: Accelerator, side: int = SIDE, products: int = PRODUCTS) -> Seconds:
    """FLOP a second of square products, of the wall clock and of processor time: each the best of `products`.

    On a CPU they are fp32, and a processor second is one thread's: with n threads busy the first figure can be n times
    the second.
    """
    if accelerator.kind != "cpu":
        rate = peak.measure(accelerator)
        return Seconds(rate, rate)
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(side, side, generator=generator) for _ in range(2))
    out, best = torch.empty(side, side), Seconds(float("inf"), float("inf"))
    for _ in range(products):
        began = Seconds.now()
        torch.mm(left, right, out=out)
        taken = began.until(Seconds.now())
        best = Seconds(min(best.wall, taken.wall), min(best.processor, taken.processor))
    work = 2 * side**3
    return Seconds(work / best.wall, work / best.processor)
