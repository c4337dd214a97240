"""`korbert fill-mask`: the likeliest words for a mask, and whether two texts stand in their order."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from korbert.console import command
from korbert.console.predict import gather
from korbert.errors import UsageError


def add(commands: Any) -> None:
    """Registers the command."""
    text = "Ask a pre-trained model for masked words, or whether two texts stand in their order."
    parser = command(commands, "fill-mask", _fill_mask, text)
    parser.add_argument("model", metavar="MODEL", type=Path, help="an export, a checkpoint, or a masked-LM folder")
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts with [MASK] for a word")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="words a mask; default: 5")
    parser.add_argument("--sop", nargs=2, metavar=("A", "B"), help="the probability that B follows A")
    parser.add_argument("--tokenizer", type=Path, metavar="DIR", help="of a checkpoint outside its run")
    gather(parser, "texts")


def _fill_mask(options: argparse.Namespace) -> int:
    if not options.texts and not options.sop:
        raise UsageError("fill-mask: give a TEXT with [MASK], or --sop A B")
    if options.top < 1:
        raise UsageError(f"--top {options.top}: must be 1 or more")
    if not options.model.is_dir():
        raise UsageError(f"{options.model}: there is no such folder; name an export or a checkpoint")
    from korbert.use.masks import load_masked

    model = load_masked(options.model, options.tokenizer)
    for text in options.texts:
        for fill in model.fill(text, options.top):
            print(f"{fill.mask + 1}  {fill.probability:.4f}  {fill.token}\t{fill.text}")
    if options.sop:
        print(f"in order: {model.in_order(*options.sop):.4f}")
    return 0
