"""The model's forward and backward pass as one compiled graph (`training.compile`), which is compiled once.

torch.compile makes the graph for the shapes of the first micro-batch; `training.static_shapes` gives all others the
same. That it holds is counted: a graph made after the first micro-batch is a fault, told with the shapes.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from korbert.errors import UsageError
from korbert.model.layout import Inputs, Layout
from korbert.model.pretraining import PretrainLosses

_LOG = logging.getLogger(__name__)


class Compiled(nn.Module):
    """A model that is called as a compiled graph; weights, their names and the uncompiled model stay what they are."""

    def __init__(self, model: nn.Module, warn: Callable[[str], None] = _LOG.warning) -> None:
        """Compiles nothing yet: the first call does.

        Args:
            model: what is called; it may be called uncompiled beside this, in any shapes.
            warn: told of each graph made after the first call.
        """
        super().__init__()
        self.model = model
        # dynamic=False: a new shape is never answered by a slower graph for all shapes. fullgraph: nothing runs beside.
        self._graph: Any = torch.compile(model, dynamic=False, fullgraph=True)
        self._warn, self._known = warn, -1
        self.recompiles = 0
        """Graphs made after the first call."""

    def forward(self, *inputs: Any) -> PretrainLosses:
        """As the model's.

        Raises:
            UsageError: when the graph cannot be compiled here.
        """
        before = graphs()
        losses: PretrainLosses = self._graph(*inputs) if self._known >= 0 else self._first(inputs)
        made, self._known = graphs() - before, max(self._known, 0) + 1
        if made and self._known > 1:
            self.recompiles += made
            self._warn(
                f"training.compile: micro-batch {self._known} was compiled anew, for {shapes(Inputs(*inputs))}; "
                "TORCH_LOGS=recompiles tells why"
            )
        return losses

    def _first(self, inputs: tuple[Any, ...]) -> PretrainLosses:
        from torch._dynamo.exc import TorchDynamoException

        try:
            losses: PretrainLosses = self._graph(*inputs)
        except TorchDynamoException as error:
            raise UsageError(
                f"training.compile = True: torch cannot compile the model here ({_line(error)}); set "
                "training.compile=false"
            ) from error
        return losses


def graphs() -> int:
    """Graphs that torch.compile has made in this process."""
    # Imported where it is used: torch's compiler takes seconds to import.
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


def shapes(inputs: Inputs) -> str:
    """The sizes of a micro-batch's tensors, for people."""
    layout = inputs.lengths
    samples = len(layout.bounds) - 1 if isinstance(layout, Layout) else len(layout)
    return f"{len(inputs.tokens)} tokens in {samples} samples, {len(inputs.masked)} masked"


def require_compiler(kind: str) -> None:
    """Looks for what torch.compile calls on a device of this kind: a C++ compiler, beside Triton on CUDA.

    Raises:
        UsageError: when it is not installed.
    """
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        raise UsageError(
            "training.compile = True: there is no C++ compiler (g++, or what CXX names); apt-get install g++, or set "
            "training.compile=false"
        )
    if kind == "cuda" and importlib.util.find_spec("triton") is None:
        raise UsageError("training.compile = True: pip install triton, or set training.compile=false")


def _line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
