"""`korbert export-onnx`: a fine-tuned model as one ONNX file, compared with the model it was made from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from korbert.console import command
from korbert.console.predict import add_model_options
from korbert.errors import UsageError, WorldError


def add(commands: Any) -> None:
    """Registers the command."""
    text = "Write a fine-tuned model as an ONNX file (korbert[onnx])."
    parser = command(commands, "export-onnx", _export, text)
    parser.add_argument("model", metavar="MODEL", type=Path, help="a finetune artefact, its model folder, or a run")
    parser.add_argument("output", metavar="OUT.onnx", type=Path)
    parser.add_argument("--quantize", action="store_true", help="8-bit matrices: smaller, faster, not quite the same")
    parser.add_argument(
        "--check", action="store_true", help="print the greatest difference, and the speed beside torch"
    )
    add_model_options(parser)


def _export(options: argparse.Namespace) -> int:
    if options.output.suffix != ".onnx":
        raise UsageError(f"{options.output}: must end in .onnx")
    from korbert.use import onnx, parity
    from korbert.use.loading import load

    usable = load(options.model, task=options.task, max_tokens=options.max_tokens)
    try:
        onnx.export(usable, options.output, quantize=options.quantize)
    except OSError as error:
        raise WorldError(f"{options.output}: {error.strerror}; free space or choose another place") from error
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")
    if options.check:
        most = usable.max_tokens
        lengths = sorted({1, 2, 7, most // 2, most})
        print(f"greatest difference of a logit: {parity.difference(usable, options.output, lengths):.2g}")
        for speed in parity.speeds(usable, options.output):
            print(f"batch {speed.batch}: {speed.torch:,.1f} texts/s with torch, {speed.onnx:,.1f} with ONNX Runtime")
    return 0
