"""`korbert predict`: labels, entities, scores and answers of a fine-tuned model, for texts or for whole files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from korbert import tasks
from korbert.console import command
from korbert.errors import UsageError

if TYPE_CHECKING:
    from korbert.use.file import Tally
    from korbert.use.loading import Usable
    from korbert.use.rows import Row

FORMATS = ("jsonl", "txt", "tsv")


def add(commands: Any) -> None:
    """Registers the command."""
    parser = command(commands, "predict", _predict, "Ask a fine-tuned model about texts, pairs, questions or a file.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="a finetune artefact, its model folder, or a run")
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts to be asked about; with --pair two for a row")
    add_model_options(parser)
    parser.add_argument("--pair", action="store_true", help="the texts are pairs: first, second, first, second, ...")
    parser.add_argument("--question", metavar="TEXT", help="what is asked of --context")
    parser.add_argument("--context", metavar="FILE", help="the passage, UTF-8; - for standard input")
    parser.add_argument("--input", metavar="FILE", help="rows: .jsonl, .txt or .tsv, .zst or .gz; - for standard input")
    parser.add_argument("--output", metavar="FILE.jsonl", help="the answers to --input; default: standard output")
    parser.add_argument("--format", choices=FORMATS, default="", help="of --input, where its name does not tell")
    parser.add_argument("--batch-tokens", metavar="N", type=int, default=4096, help="of a batch; default: 4096")
    parser.add_argument("--json", action="store_true", help="an object a row, as --output has them")
    gather(parser, "texts")


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """`--task` and `--max-tokens`: what a bare model folder does not tell."""
    parser.add_argument(
        "--task", default="", metavar="TASK",
        help=f"what the model was fine-tuned on, where its artefact is not there: {', '.join(tasks.names())}",
    )  # fmt: skip
    parser.add_argument("--max-tokens", type=int, default=0, metavar="N", help="longer rows are cut; default: as tuned")


def gather(parser: argparse.ArgumentParser, name: str) -> None:
    """Lets options stand before, between and behind the words of the last positional, which argparse alone does not."""
    plain = parser.parse_known_args

    def parse(args: Any = None, namespace: Any = None) -> Any:
        found, rest = plain(args, namespace)
        words = [word for word in rest if not word.startswith("-")]
        setattr(found, name, [*getattr(found, name), *words])
        return found, [word for word in rest if word.startswith("-")]

    parser.parse_known_args = parse  # type: ignore[method-assign]


def _predict(options: argparse.Namespace) -> int:
    _check(options)
    from korbert.use.loading import load

    usable = load(options.model, task=options.task, max_tokens=options.max_tokens)
    if options.input is not None:
        return _file(usable, options)
    rows = _rows(usable, options)
    from korbert.use.answers import answered

    answers, cut = answered(usable, rows, options.batch_tokens)
    for row, answer in zip(rows, answers, strict=True):
        print(json.dumps(answer, ensure_ascii=False) if options.json else "\n".join(_lines(row, answer)))
    if cut:
        print(f"korbert: {cut} of {len(rows)} rows cut to {usable.max_tokens} tokens", file=sys.stderr)
    return 0


def _check(options: argparse.Namespace) -> None:
    asked = [bool(options.texts), options.question is not None, options.input is not None]
    if sum(asked) != 1:
        raise UsageError("predict: give one of TEXT, --question with --context, or --input")
    if (options.question is None) != (options.context is None):
        raise UsageError("predict: --question and --context go together")
    if options.pair and len(options.texts) % 2:
        raise UsageError(f"--pair: {len(options.texts)} texts are no pairs; give two for each row")
    if options.output is not None and options.input is None:
        raise UsageError("--output: goes with --input; leave it out to print the answers")
    if options.batch_tokens < 1:
        raise UsageError(f"--batch-tokens {options.batch_tokens}: must be 1 or more")


def _rows(usable: Usable, options: argparse.Namespace) -> list[Row]:
    from korbert.use.rows import BadRow

    texts: list[str] = options.texts
    pairs: list[tuple[str, str | None]] = [(text, None) for text in texts]
    if options.question is not None:
        if usable.head != "span":
            raise UsageError(f"--question: {usable.folder} answers no questions; give it texts")
        pairs = [(options.question, _passage(options.context))]
    elif options.pair:
        pairs = list(zip(texts[::2], texts[1::2], strict=True))
    try:
        return [usable.shape.checked(first, second) for first, second in pairs]
    except BadRow as error:
        way = "--question and --context" if usable.head == "span" else "--pair where there are two texts"
        raise UsageError(f"predict: a row {error}; use {way}") from error


def _passage(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return raw.removeprefix(b"\xef\xbb\xbf").decode()
    except OSError as error:
        raise UsageError(f"--context {name}: {error.strerror}; name a file that can be read") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--context {name}: is not UTF-8 ({error.reason} at byte {error.start})") from error


def _lines(row: Row, answer: dict[str, Any]) -> list[str]:
    """An answer as lines of text."""
    from korbert.use.marking import around, with_entities

    text = _one_line(row.text if row.second is None else f"{row.text} | {row.second}")
    if "label" in answer:
        return [f"{answer['label']}  {answer['probability']:.4f}  {text}"]
    if "score" in answer:
        return [f"{answer['score']:.4f}  {text}"]
    if "entities" in answer:
        listed = [
            f"  {one['type']}  {one['text']}  {one['probability']:.4f}  {one['begin']}-{one['end']}"
            for one in answer["entities"]
        ]
        return [with_entities(row.text, answer["entities"]), *listed]
    if not answer["answer"]:
        return ["no answer"]
    place = around(row.second or "", answer["begin"], answer["end"])
    return [f"{_one_line(answer['answer'])}  {answer['probability']:.4f}", f"  {place}"]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _file(usable: Usable, options: argparse.Namespace) -> int:
    from korbert.storage import digest_input
    from korbert.use.file import answer_file, answer_stream
    from korbert.use.lines import STDIN, format_of

    form = format_of(options.input, options.format)
    if options.output is None or options.output == "-":
        together = 1 if options.input == STDIN else 0
        tally = answer_stream(
            usable, options.input, sys.stdout, form=form, tokens=options.batch_tokens, together=together
        )
    else:
        if not Path(options.output).name.endswith(".jsonl"):
            raise UsageError(f"--output {options.output}: answers are JSON Lines; let its name end in .jsonl")
        key = digest_input(str(usable.folder))
        tally = answer_file(
            usable, options.input, Path(options.output), form=form, tokens=options.batch_tokens, key=key
        )
    return _say(tally, usable)


def _say(tally: Tally, usable: Usable) -> int:
    """The sums on standard error; 2 where not one row could be asked."""
    parts = [f"{tally.rows:,} rows", f"{tally.bad:,} of them without an answer", f"{tally.cut:,} cut"]
    if tally.resumed:
        parts.append(f"{tally.resumed:,} answered by the attempt before")
    print(f"korbert: {', '.join(parts)} (to {usable.max_tokens} tokens)", file=sys.stderr)
    for name in tally.named:
        print(f"korbert: {name}", file=sys.stderr)
    if tally.bad > len(tally.named):
        print(f"korbert: and {tally.bad - len(tally.named):,} more; each has its line with an error", file=sys.stderr)
    return 2 if tally.rows and tally.bad == tally.rows else 0
