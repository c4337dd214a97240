"""A sample on the terminal: segments in two colours, what was hidden marked with what stood there."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from korbert.corpus.documents import Document
from korbert.data.inspect import KEPT, MASKED, RANDOM, SPECIAL, ShownSample, ShownToken
from korbert.tokenizer.scheme import MARK

SENTENCE_END, MORPHEME = "¶", "|"
LEGEND = (
    f"[MASK:was]  [random now:was]  [kept:was]  {SENTENCE_END} a sentence's end  "
    f"{MORPHEME} a morpheme's start in a word, where stored"
)

_SEGMENTS = ("cyan", "yellow")
_STYLES = {MASKED: "bold reverse", RANDOM: "bold red", KEPT: "bold green"}


def print_sample(console: Console, sample: ShownSample, document: Document | None, documents: int) -> None:
    """Prints head, segment A and segment B. Where there is no terminal, plain lines as long as they come."""
    for line in (*_head(sample, document, documents), *_segments(sample)):
        console.print(line, soft_wrap=not console.is_terminal, highlight=False)


def _head(sample: ShownSample, document: Document | None, documents: int) -> list[Text]:
    text = len(sample.tokens) - sample.count(SPECIAL)
    hidden = [f"{sample.count(fate)} {name}" for fate, name in ((MASKED, "[MASK]"), (RANDOM, "random"), (KEPT, "kept"))]
    words, morphemes, sentences = (
        sum(getattr(t, f) for t in sample.tokens) for f in ("starts_word", "starts_morpheme", "ends_sentence")
    )
    order = ("A stands before B in the document", "A is the later part, B the earlier one")[sample.swapped]
    named = f"{document.id}, {document.date or 'no date'}, {document.title}" if document else "not in the corpus now"
    return [
        Text(f"sample {sample.number} in epoch {sample.epoch}", style="bold"),
        Text(f"  document  {sample.document} of {documents:,}: {_printable(named)}"),
        Text(f"  tokens    {text} of text and {len(sample.tokens) - text} special; {words} words, "
             f"{f'{morphemes} morphemes, ' if morphemes else ''}{sentences} sentence ends"),
        Text(f"  predicted {sample.count(*_STYLES)} ({sample.mask_rate:.1%}): {', '.join(hidden)}"),
        Text(f"  order     label {sample.swapped}: {order}"),
    ]  # fmt: skip


def _segments(sample: ShownSample) -> list[Text]:
    lines = []
    for number, style in enumerate(_SEGMENTS):
        line = Text(f"  {'AB'[number]} ", style=f"bold {style}")
        for token in (token for token in sample.tokens if token.segment == number):
            _add(line, token, style)
        lines.append(line)
    return lines


def _add(line: Text, token: ShownToken, style: str) -> None:
    if (token.starts_word or token.fate == SPECIAL) and not line.plain.endswith(" "):
        line.append(" ")
    elif token.starts_morpheme and not token.starts_word:
        line.append(MORPHEME, style="dim")
    if token.fate in _STYLES:
        line.append(
            _printable(_marked(token)),
            style=f"{_STYLES[token.fate]} {style}" if token.fate == MASKED else _STYLES[token.fate],
        )
    else:
        # A mark that is a piece of its own only says that a word starts here.
        line.append(
            _printable(token.text.replace(MARK, "")), style="dim" if token.fate == SPECIAL else f"not bold {style}"
        )
    if token.ends_sentence:
        line.append(SENTENCE_END, style="dim")


def _marked(token: ShownToken) -> str:
    if token.fate == MASKED:
        return f"[MASK:{token.original}]"
    return f"[random {token.text}:{token.original}]" if token.fate == RANDOM else f"[kept:{token.original}]"


def _printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
