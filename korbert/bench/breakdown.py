"""Where a step's time goes: the forward pass by its parts, the backward pass, the optimiser, the data.

Each moment belongs to the part that was entered last. Parts of the forward pass begin where their first module is
called; the modules' hooks are gone afterwards. Wall-clock time, so only steps on a device that the host waits for (a
CPU) are told apart rightly.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

PARTS = ("data", "embeddings", "attention", "feed-forward", "mlm head", "sop head", "backward", "optimiser")
# The last piece of a module's name, a number being a layer's -> the part that begins with its call.
_BEGINS = {
    "embeddings": "embeddings",
    "layer": "attention",
    "up": "feed-forward",
    "transform": "mlm head",
    "pooler": "sop head",
}
_BAR = 40


class Parts:
    """Seconds of each part."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock, self._part, self._since = clock, "", 0.0
        self.seconds: dict[str, float] = defaultdict(float)

    def enter(self, part: str) -> None:
        """From now on time belongs to `part`; to nobody when it is empty."""
        now = self._clock()
        if self._part:
            self.seconds[self._part] += now - self._since
        self._part, self._since = part, now

    @contextmanager
    def watching(self, model: nn.Module) -> Iterator[None]:
        """The model's forward pass enters its parts by itself."""
        hooks = [
            module.register_forward_pre_hook(self._hook(part))
            for name, module in model.named_modules()
            if (part := _BEGINS.get(_piece(name)))
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _hook(self, part: str) -> Callable[..., Any]:
        def hook(*_: Any) -> None:
            self.enter(part)

        return hook

    def shares(self) -> dict[str, float]:
        """Each part's share of all, in the order of a step."""
        whole = sum(self.seconds.values())
        return {part: self.seconds[part] / whole if whole else 0.0 for part in PARTS}


def _piece(name: str) -> str:
    last = name.rpartition(".")[2]
    return "layer" if last.isdigit() else last


def chart(shares: dict[str, float]) -> list[str]:
    """A bar a part."""
    return [f"  {part:<13} {share:6.1%} {'█' * round(share * _BAR)}" for part, share in shares.items()]
