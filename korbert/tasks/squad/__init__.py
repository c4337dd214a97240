"""Questions with their answers in a text, in SQuAD 1.1's layout: the format of KorQuAD 1.0 and, marked, of KLUE-MRC.

    {"data": [{"title", "paragraphs": [{"context", "qas": [
        {"id", "question", "answers": [{"text", "answer_start"}]}]}]}]}

`answer_start` counts code points of the context as JSON gives it; a context may hold a backslash and an n where a line
ended, and offsets count both. KLUE-MRC names the id `guid` and marks questions without an answer `is_impossible`; its
`plausible_answers`, which are wrong ones, are not read.

An answer whose text does not stand at its offset is looked for where there is no doubt: composed or decomposed (NFC,
NFD) at the offset (`recomposed_answers`), or elsewhere if the context holds it exactly once (`moved_answers`). One that
is not found (`unplaced_answers`) still counts as a right answer and cannot be trained on.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples

LABELS = ("start", "end")
"""What a token can be: the first or the last of the answer."""
NOWHERE = -1
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


@dataclass(frozen=True)
class Answer:
    """A right answer."""

    text: str
    begin: int
    """Its first character in the context; NOWHERE if it does not stand there."""
    end: int
    """One past its last character."""


@dataclass(frozen=True, kw_only=True)
class Questions(Examples):
    """Questions in `texts`, the context of each in `seconds`; labels are 0, as a question has none."""

    ids: list[str]
    answers: list[tuple[Answer, ...]]
    """Of each question all its right answers; none where the context does not answer it."""
    may_lack: bool = False
    """Whether a question may have no answer: the file marks which ones are impossible."""

    @property
    def contexts(self) -> list[str]:
        """The context of each question."""
        assert self.seconds is not None
        return self.seconds

    def chosen(self, numbers: list[int], counts: dict[str, int]) -> Questions:
        """The questions of these numbers, in their order."""
        return Questions(
            texts=[self.texts[n] for n in numbers],
            labels=self.labels[numbers],
            counts=counts,
            seconds=[self.contexts[n] for n in numbers],
            ids=[self.ids[n] for n in numbers],
            answers=[self.answers[n] for n in numbers],
            may_lack=self.may_lack,
        )


def read(path: Path, needs: str, *, unanswerable: bool = False) -> Questions:
    """All questions of a file, in its order.

    Args:
        path: A JSON file of the layout above.
        needs: What the folder must hold, for the message about a file that is not there.
        unanswerable: Whether a question may have no answer.

    Raises:
        UsageError: naming the file and the question's id, for a missing file, one that is not UTF-8 JSON of this
            layout or holds no question, an id that repeats, an empty context, question or answer, an offset outside
            the context, or a question without an answer where it must have one.
    """
    counts: Counter[str] = Counter({"recomposed_answers": 0, "moved_answers": 0, "unplaced_answers": 0})
    texts: list[str] = []
    contexts: list[str] = []
    ids: list[str] = []
    answers: list[tuple[Answer, ...]] = []
    marked = False
    for context, qa in _entries(path, needs):
        name = _name(path, qa, ids)
        where = f"{path} question {name}"
        ids.append(name)
        texts.append(_text(where, "question", qa.get("question")))
        contexts.append(context)
        answers.append(_answers(where, context, qa, counts, unanswerable))
        marked |= unanswerable and "is_impossible" in qa
    if not ids:
        raise UsageError(f"{path}: holds no question; name a folder that holds {needs}")
    repeated = [name for name, times in Counter(ids).items() if times > 1]
    if repeated:
        raise UsageError(f"{path} question {repeated[0]}: its id occurs twice; give each question an id of its own")
    return Questions(
        texts=texts, labels=np.zeros(len(ids), dtype=np.int64), counts=dict(counts), seconds=contexts,
        ids=ids, answers=answers, may_lack=marked,
    )  # fmt: skip


def apart(questions: Questions, other: Questions) -> Questions:
    """The questions whose context is none of `other`'s; how many were left out is counted (`dropped_questions`)."""
    taken = set(other.contexts)
    kept = [number for number, context in enumerate(questions.contexts) if context not in taken]
    if not kept:
        raise UsageError("training questions: all their contexts are also tested on; give others to train on")
    return questions.chosen(kept, questions.counts | {"dropped_questions": len(questions.texts) - len(kept)})


def _entries(path: Path, needs: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The context and the entry of each question."""
    layout = "must be in SQuAD 1.1's layout: data, paragraphs, context and qas"
    try:
        content = json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a folder that holds {needs}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is no JSON in UTF-8 ({error}); name a folder that holds {needs}") from error
    try:
        for article in content["data"]:
            for number, paragraph in enumerate(article["paragraphs"], 1):
                where = f"{path} article {str(article.get('title', ''))[:40]!r} paragraph {number}"
                context = _text(where, "context", paragraph["context"])
                for qa in paragraph["qas"]:
                    yield context, dict(qa)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"{path}: {layout} ({type(error).__name__}: {error})") from error


def _name(path: Path, qa: dict[str, Any], before: list[str]) -> str:
    name = qa.get("id", qa.get("guid"))
    if not isinstance(name, str) or not name:
        after = f"after question {before[-1]}" if before else "first question"
        raise UsageError(f"{path} {after}: id is {name!r}; give each question a text as its id")
    return name


def _text(where: str, field: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: {field} is {str(value)[:40]!r}; it must be a text that is not empty")
    return value


def _answers(
    where: str, context: str, qa: dict[str, Any], counts: Counter[str], unanswerable: bool
) -> tuple[Answer, ...]:
    given = [] if qa.get("is_impossible") and unanswerable else qa.get("answers")
    if not isinstance(given, list) or not (given or (unanswerable and qa.get("is_impossible"))):
        marked = ", or mark it is_impossible" if unanswerable else ""
        raise UsageError(f"{where}: has no answers; give it a list of at least one{marked}")
    return tuple(_answer(where, context, answer, counts) for answer in given)


def _answer(where: str, context: str, answer: Any, counts: Counter[str]) -> Answer:
    if not isinstance(answer, dict):
        raise UsageError(f"{where}: answer is {str(answer)[:40]!r}; it must have text and answer_start")
    text, begin = _text(where, "answer", answer.get("text")), answer.get("answer_start")
    if not isinstance(begin, int) or isinstance(begin, bool) or not 0 <= begin < len(context):
        raise UsageError(
            f"{where}: answer_start is {begin!r}; it must count characters of the context, 0 to {len(context) - 1}"
        )
    found, how = placed(context, text, begin)
    if how:
        counts[how] += 1
    return found


def placed(context: str, text: str, begin: int) -> tuple[Answer, str]:
    """The answer with the place where it stands, and what had to be done for it, as `counts` names it; mostly nothing.

    Args:
        context: Holds the answer.
        text: The answer.
        begin: Where it should stand, in code points.
    """
    if context.startswith(text, begin):
        return Answer(text, begin, begin + len(text)), ""
    for form in FORMS:
        other = unicodedata.normalize(form, text)
        if context.startswith(other, begin):
            return Answer(text, begin, begin + len(other)), "recomposed_answers"
    if 0 <= context.find(text) == context.rfind(text):
        return Answer(text, context.find(text), context.find(text) + len(text)), "moved_answers"
    return Answer(text, NOWHERE, NOWHERE), "unplaced_answers"
