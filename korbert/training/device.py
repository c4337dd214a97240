"""The one place that knows what training runs on: CPU, CUDA or TPU behind one small seam.

The trainer asks an accelerator for little: to bring a step's inputs over (`moved`), to bring numbers back (`read`,
only when a line of metrics is due), half precision (`autocast`), the end of a step (`step_ended`, where a lazy device
starts its work) and stamps in the device's own time. Nothing between two reads waits for the device.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from korbert import machine
from korbert.config import TrainingConfig
from korbert.errors import UsageError, WorldError
from korbert.model.layout import Inputs, Layout
from korbert.training.compiled import require_compiler

# CUDA devices from this compute capability (Ampere) on have bf16 matrix units.
BF16_SINCE = (8, 0)


class Memory(NamedTuple):
    """The device's memory in bytes; 0 where the device does not tell."""

    used: int
    """Held by tensors now."""
    peak: int
    """Most ever held by this process."""
    total: int


class Accelerator(ABC):
    """What one worker trains on."""

    kind: str
    """cpu, cuda or tpu."""
    backend: str
    """The process group's backend between such devices."""

    def __init__(self, device: torch.device, precision: str) -> None:
        self.device = device
        self.precision = precision
        """fp32, or bf16: matrix products in bf16 with weights, sums and losses in fp32."""

    @property
    def name(self) -> str:
        """The device as its maker calls it."""
        return self.kind

    def autocast(self) -> AbstractContextManager[Any]:
        """Half precision for the forward pass, where it was chosen."""
        return torch.autocast(self.kind, dtype=torch.bfloat16) if self.precision == "bf16" else nullcontext()

    def moved(self, batches: Sequence[Inputs]) -> list[Inputs]:
        """A step's micro-batches on the device, one transfer each that the host does not wait for."""
        return [unpacked(self._sent(packed(batch)), batch) for batch in batches]

    def _sent(self, buffer: Tensor) -> Tensor:
        return buffer.to(self.device, non_blocking=True)

    def read(self, values: Tensor) -> list[float]:
        """A vector's numbers on the host: waits for all work before."""
        return [float(value) for value in values.cpu().tolist()]

    def step_ended(self) -> None:
        """Called after each optimiser step."""
        return

    @abstractmethod
    def stamp(self) -> Any:
        """A mark at this place of the device's work."""

    @abstractmethod
    def between(self, earlier: Any, later: Any) -> float:
        """Seconds of the device's time between two stamps; may wait for the later."""

    @abstractmethod
    def synchronize(self) -> None:
        """Waits for all work."""

    @abstractmethod
    def memory(self) -> Memory:
        """Memory of the device."""

    def seed(self, number: int) -> None:
        """Seeds what is drawn on host and device: initial weights, dropout."""
        torch.manual_seed(number)


class CpuAccelerator(Accelerator):
    """The host itself: nothing is moved, stamps are the clock."""

    kind, backend = "cpu", "gloo"

    def __init__(self, precision: str = "fp32") -> None:
        super().__init__(torch.device("cpu"), precision)

    @property
    def name(self) -> str:
        """The processor's model."""
        return machine.processor()

    def moved(self, batches: Sequence[Inputs]) -> list[Inputs]:
        """As they are."""
        return list(batches)

    def stamp(self) -> float:
        """The monotonic clock."""
        return time.monotonic()

    def between(self, earlier: float, later: float) -> float:
        """Their difference."""
        return later - earlier

    def synchronize(self) -> None:
        """The host's work is done when the call is."""
        return

    def memory(self) -> Memory:
        """Of the process (Linux; zeros elsewhere)."""
        return Memory(*machine.process_memory(), machine.memory().limit)


class CudaAccelerator(Accelerator):
    """One GPU: inputs go through pinned memory, stamps are events in its stream."""

    kind, backend = "cuda", "nccl"

    def __init__(self, index: int, precision: str, tf32: bool) -> None:
        super().__init__(torch.device("cuda", index), precision)
        torch.cuda.set_device(self.device)
        torch.set_float32_matmul_precision("high" if tf32 else "highest")

    @property
    def name(self) -> str:
        """As the driver has it."""
        return torch.cuda.get_device_name(self.device)

    def _sent(self, buffer: Tensor) -> Tensor:
        # Only a copy from pinned memory runs beside the host; the allocator keeps the buffer until it has.
        return buffer.pin_memory().to(self.device, non_blocking=True)

    def stamp(self) -> torch.cuda.Event:
        """An event in the current stream."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def between(self, earlier: torch.cuda.Event, later: torch.cuda.Event) -> float:
        """Seconds between two events."""
        later.synchronize()
        return float(earlier.elapsed_time(later)) / 1000

    def synchronize(self) -> None:
        """Waits for the GPU."""
        torch.cuda.synchronize(self.device)

    def memory(self) -> Memory:
        """Of torch's allocator, and the whole."""
        total = torch.cuda.get_device_properties(self.device).total_memory
        return Memory(torch.cuda.memory_allocated(self.device), torch.cuda.max_memory_allocated(self.device), total)


@dataclass(frozen=True)
class Bridge:
    """A package that brings torch to TPUs."""

    module: str
    package: str
    backend: str
    """Of the process group: `tpu_dist` as in TorchTPU's examples, `xla` as in PyTorch/XLA's documentation."""

    @property
    def installed(self) -> bool:
        """Whether the package can be imported, by its files alone."""
        return importlib.util.find_spec(self.module) is not None


# The first that is installed is taken. torch-xla 2.9 does not import beside torch 2.13; its place is kept.
BRIDGES = (Bridge("torch_tpu", "torch-tpu", "tpu_dist"), Bridge("torch_xla", "torch-xla", "xla"))


def installed_bridge() -> Bridge:
    """The bridge that is used here.

    Raises:
        UsageError: when none is installed.
    """
    found = next((bridge for bridge in BRIDGES if bridge.installed), None)
    if found is None:
        names = " and ".join(bridge.package for bridge in BRIDGES)
        raise UsageError(
            f"training.device = 'tpu': {names} are not installed; pip install {BRIDGES[0].package} on a machine "
            "with a TPU, or set training.device=auto"
        )
    return found


class TpuAccelerator(Accelerator):
    """One TPU core. Its steps want `training.static_shapes`: each new shape is compiled anew.

    Not run on a TPU yet: neither package has a CPU mode. What is proven is that the training loop makes no transfer
    and no new shape in a step (tests/training/test_static_shapes.py).
    """

    kind = "tpu"

    def __init__(self, precision: str) -> None:
        """Opens this process's core.

        Raises:
            UsageError: when neither package is installed.
            WorldError: when the package finds no TPU.
        """
        bridge = installed_bridge()
        self._module = importlib.import_module(bridge.module)
        try:
            super().__init__(self._open(bridge), precision)
        except Exception as error:
            raise WorldError(
                f"training.device = 'tpu': {bridge.package} finds no TPU ({type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else 'no reason given'}); set training.device=auto"
            ) from error
        self.backend = bridge.backend
        self._lazy = bridge.module == "torch_xla"

    def _open(self, bridge: Bridge) -> torch.device:
        if bridge.module == "torch_xla":
            return torch.device(self._module.device())
        return torch.device(importlib.import_module("torch_tpu.api").tpu_device())

    def autocast(self) -> AbstractContextManager[Any]:
        """By the device's own type: `tpu`, or `xla`."""
        half = self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if half else nullcontext()

    def step_ended(self) -> None:
        """PyTorch/XLA only gathers work until it is told to start."""
        if self._lazy:
            self._module.sync()

    def stamp(self) -> float:
        """The host's clock: TPUs have no events that both packages share."""
        return time.monotonic()

    def between(self, earlier: float, later: float) -> float:
        """Their difference."""
        return later - earlier

    def synchronize(self) -> None:
        """Waits for the TPU."""
        if self._lazy:
            self._module.sync(wait=True)
        else:
            torch.accelerator.synchronize(self.device)

    def memory(self) -> Memory:
        """Not told."""
        return Memory(0, 0, 0)


def accelerator(config: TrainingConfig, local_rank: int) -> Accelerator:
    """What the worker `local_rank` of this machine trains on: `auto` takes CUDA, then a TPU, then the CPU.

    Raises:
        UsageError: when the chosen device is absent, has too few pieces for the workers, or cannot do the precision, or
            where steps are to be compiled and there is no compiler.
        WorldError: when a TPU does not answer.
    """
    kind = config.device if config.device != "auto" else best_kind()
    if config.compile:
        require_compiler(kind)
    if kind == "cpu":
        return CpuAccelerator("bf16" if config.precision == "bf16" else "fp32")
    if kind == "tpu":
        return TpuAccelerator("fp32" if config.precision == "fp32" else "bf16")
    return CudaAccelerator(local_rank, cuda_precision(config, local_rank), config.tf32)


def cuda_precision(config: TrainingConfig, local_rank: int) -> str:
    """The precision that the worker `local_rank` of this machine computes in on its GPU.

    Raises:
        UsageError: when there is no GPU for it, or the GPU cannot do the precision.
    """
    found = torch.cuda.device_count()
    if found <= local_rank:
        raise UsageError(
            f"training.device = {config.device!r}: worker {local_rank} of this machine finds {found} CUDA devices; "
            f"set training.workers={max(1, found)} or training.device=cpu"
        )
    return precision_for(config.precision, torch.cuda.get_device_capability(local_rank))


def best_kind() -> str:
    """The best kind of device that is here."""
    if torch.cuda.is_available():
        return "cuda"
    return "tpu" if tpu_nodes() and any(bridge.installed for bridge in BRIDGES) else "cpu"


def tpu_nodes() -> list[str]:
    """Device files of TPU chips (Google's TPU VMs: /dev/accel*, v5e and later /dev/vfio/<number>)."""
    return sorted(map(str, [*Path("/dev").glob("accel[0-9]*"), *Path("/dev/vfio").glob("[0-9]*")]))


def precision_for(wanted: str, capability: tuple[int, int]) -> str:
    """The precision on a GPU of this compute capability: `auto` takes bf16 where the GPU has matrix units for it.

    Raises:
        UsageError: when bf16 is asked of a GPU that only emulates it.
    """
    able = capability >= BF16_SINCE
    if wanted == "bf16" and not able:
        raise UsageError(
            f"training.precision = 'bf16': this GPU's compute capability is {capability[0]}.{capability[1]}, "
            f"bf16 wants {BF16_SINCE[0]}.{BF16_SINCE[1]}; set training.precision=auto"
        )
    return "bf16" if able and wanted != "fp32" else "fp32"


def packed(batch: Inputs) -> Tensor:
    """All numbers of a micro-batch in one vector (int64): one transfer in the place of seven."""
    layout = batch.lengths
    assert isinstance(layout, Layout)
    parts = (batch.tokens, batch.positions, batch.segments, batch.masked, batch.labels, batch.swapped)
    return torch.cat([*parts, layout.bounds.long()])


def unpacked(buffer: Tensor, like: Inputs) -> Inputs:
    """`packed`'s vector, wherever it lies now, in the shapes of the micro-batch it was made from."""
    layout = like.lengths
    assert isinstance(layout, Layout)
    sizes = [len(like.tokens)] * 3 + [len(like.masked)] * 2 + [len(like.swapped), len(layout.bounds)]
    tokens, positions, segments, masked, labels, swapped, bounds = buffer.split(sizes)  # type: ignore[no-untyped-call]
    moved = Layout(bounds.int(), layout.longest, layout.lengths)
    return Inputs(tokens, positions, segments, moved, masked, labels, swapped)
