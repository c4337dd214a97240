"""What is bound to fail is refused before anything heavy starts: a database, a shard, a worker.

torch and transformers are imported only where a rule needs them: the first word of `korbert run` should not take
seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from korbert import machine
from korbert.chain import Workspace
from korbert.config import Config, TrainingConfig
from korbert.data.shards import INDEX, TokenStore
from korbert.errors import UsageError
from korbert.storage import read_json, read_manifest
from korbert.training.memory import Need, needed

# Device files of NVIDIA's GPUs and of TPUs: without any there is nothing but the CPU that `auto` could find.
_DEVICE_FILES = ("nvidia[0-9]*", "accel[0-9]*", "vfio/[0-9]*")
_GIB = 1 << 30


def check(config: Config, workspace: Workspace, warn: Callable[[str], None], *, remade: bool = False) -> None:
    """Checks what pre-training `config` in the workspace needs, as far as it can be known now.

    Args:
        config: the run's.
        workspace: where tokens and tokenizer may lie.
        warn: told what may fail, but need not.
        remade: whether the tokens will be made anew before training.

    Raises:
        UsageError: when training is bound to fail.
    """
    kind = _kind(config.training)
    tokens = None if remade or not (workspace.path("tokens") / INDEX).is_file() else workspace.path("tokens")
    vocab_size = read_json(tokens / INDEX)["vocab_size"] if tokens else config.tokenizer.vocab_size
    _require_memory(config, needed(config, vocab_size), kind, warn)
    if tokens:
        require_descent(workspace, "tokens", "tokenizer")
    if config.training.start:
        from korbert.training.start import require_start

        require_start(config, *((TokenStore(tokens), workspace.path("tokenizer")) if tokens else ()))


def require_descent(workspace: Workspace, stage: str, before: str) -> None:
    """Checks that an artefact was made from the one that lies beside it now; what is not there is not checked.

    Raises:
        UsageError: when it was made from another.
    """
    made, source = (read_manifest(workspace.path(name)) for name in (stage, before))
    if made is None or source is None or made.inputs.get(before, source.digest) == source.digest:
        return
    raise UsageError(
        f"{workspace.path(stage)}: was made with another {before} than {workspace.path(before)} holds now, so their "
        f"vocabularies or texts differ; run: korbert run RECIPE --from {stage}"
    )


def _kind(training: TrainingConfig) -> str:
    """What the workers will train on: cpu, cuda or tpu.

    Raises:
        UsageError: when it is not there, too few pieces of it are, or it cannot do the precision.
    """
    here = any(found for name in _DEVICE_FILES for found in Path("/dev").glob(name))
    if training.device == "cpu" or (training.device == "auto" and not here):
        return "cpu"
    from korbert.training import device

    kind = device.best_kind() if training.device == "auto" else training.device
    if kind == "cuda":
        for worker in range(training.workers):
            device.cuda_precision(training, worker)
    elif kind == "tpu":
        device.installed_bridge()
    return kind


def _require_memory(config: Config, need: Need, kind: str, warn: Callable[[str], None]) -> None:
    """Weights and optimiser that are larger than all memory are refused; an estimate beyond what is free is told."""
    if kind == "tpu":
        return
    workers = config.training.workers if kind == "cpu" else 1
    total, free = _memory(kind)
    asked = f"model.* with training.workers = {config.training.workers}"
    said = f"{asked}: {workers * need.state / _GIB:,.1f} GiB for weights, gradients and optimiser"
    place = "this machine" if kind == "cpu" else "a GPU here"
    if 0 < total < workers * need.state:
        raise UsageError(
            f"{said}, {place} has {total / _GIB:,.1f}; choose a smaller model (--set model.size=NAME)"
            + (" or fewer workers" if workers > 1 else "")
        )
    if 0 < free < workers * need.total:
        warn(
            f"{said} and about {workers * need.activations / _GIB:,.1f} for a micro-batch; {place} has "
            f"{free / _GIB:,.1f} free: it may not fit; a smaller training.rows_per_micro_batch needs less"
        )


def _memory(kind: str) -> tuple[int, int]:
    """All bytes and free bytes where a worker's tensors lie; 0: not known."""
    if kind == "cpu":
        found = machine.memory()
        return found.limit, found.available
    import torch

    free, total = torch.cuda.mem_get_info(0)
    return total, free
