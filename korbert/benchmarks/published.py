"""Scores that others have published, as data: figures as their sources print them, and where each row comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of the table: a metric of a task on its real test rows."""

    title: str
    task: str
    """korbert's name of the task."""
    metric: str
    test_rows: int
    """How many the published scores are over; a score over another number is of another split."""
    train_rows: int
    """Rows that the published models were trained on; 0: not used here."""


@dataclass(frozen=True)
class Row:
    """One model's scores by column title; columns without a figure are absent."""

    model: str
    figures: dict[str, str]
    """As printed by the source: 91.168 stays so."""
    source: str
    """A key of SOURCES."""


COLUMNS = (
    Column("NSMC acc", "nsmc", "accuracy", 50_000, 150_000),
    Column("Naver NER F1", "ner", "entity_f1", 9_000, 81_000),
    Column("PAWS-X acc", "paws", "accuracy", 2_000, 49_401),
    Column("KorNLI acc", "kornli", "accuracy", 5_010, 0),
    Column("KorSTS ρ", "korsts", "spearman", 1_379, 5_749),
    Column("Question Pair acc", "question-pair", "accuracy", 758, 6_136),
    Column("KorQuAD EM", "korquad", "exact_match", 5_774, 60_407),
    Column("KorQuAD F1", "korquad", "f1", 5_774, 60_407),
)

SOURCES = {
    "A": "monologg/KoELECTRA finetune/README.md @024fbdd",
    "B": "Beomi/KcELECTRA README (same rows in Beomi/KcBERT)",
    "C": "tunib-ai/tunib-electra README",
    "D": "BM-K/KoMiniLM README (mean of 3 runs)",
    "E": "snunlp/KR-ELECTRA",
    "F": "kiyoungkim1/LMkor",
    "G": "KPFBERT/kpfbert",
    "H": "monologg/KoBigBird",
    "I": "huggingface.co/lighthouse/mdeberta-v3-base-kor-further (stored page)",
    "J": "huggingface.co/team-lucid/deberta-v3-base-korean (stored page)",
    "K": "KLUE-benchmark/KLUE README (baselines; it does not name the split)",
}

HOW = (
    "Most published rows were made with KoELECTRA's configurations: one seed, and for NSMC and Naver NER every "
    "checkpoint scored on the test rows, as there is no file to choose by. Ours choose the epoch on validation rows "
    "and ask the test rows once a seed."
)

_ROWS = """
DistilKoBERT | 88.60 | 84.65 | 60.50 | 72.00 | 72.59 | 92.48 | 54.40/77.97 | A
KoELECTRA-small | 88.83 | 84.38 | 73.10 | 76.45 | 76.56 | 93.01 | 58.04/86.76 | A
KoELECTRA-small-v2 | 88.83 | 85.00 | 72.35 | 78.14 | 77.84 | 93.27 | 81.43/90.46 | A
KoELECTRA-small-v3 | 89.36 | 85.40 | 77.45 | 78.60 | 80.79 | 94.85 | 82.11/91.13 | A
TUNiB-Electra-ko-small | 89.56 | 84.98 | 72.85 | 77.08 | 78.76 | 94.98 | 61.17/87.64 | C
KoMiniLM 23M | 89.67 | 84.79 | 78.67 | 78.10 | 78.90 | 94.81 | 82.11/91.21 | D
KoMiniLM 68M | 89.84 | 85.98 | 80.78 | 79.28 | 81.00 | 94.89 | 83.27/92.08 | D
KoBERT (SKT) | 89.59 | 87.92 | 81.25 | 79.62 | 81.59 | 94.85 | 51.75/79.15 | A
KoBERT (SKT), older run | 89.63 | 86.11 | 80.65 | 79.00 | 79.64 | 93.93 | 52.81/80.27 | B
XLM-R-base | 89.03 | 86.65 | 82.80 | 80.23 | 78.45 | 93.80 | 64.70/88.94 | A
HanBERT | 90.06 | 87.70 | 82.95 | 80.32 | 82.73 | 94.72 | 78.74/92.02 | A
KcBERT-base | 89.62 | 84.34 | 66.95 | 74.85 | 75.57 | 93.93 | 60.25/84.39 | B
KcBERT-large | 90.68 | 85.53 | 70.15 | 76.99 | 77.49 | 94.06 | 62.16/86.64 | B
KoELECTRA-base | 90.33 | 87.18 | 81.70 | 80.64 | 82.00 | 93.54 | 60.86/89.28 | A
KoELECTRA-base-v2 | 89.56 | 87.16 | 80.70 | 80.72 | 82.30 | 94.85 | 84.01/92.40 | A
KoELECTRA-base-v3 | 90.63 | 88.11 | 84.45 | 82.24 | 85.53 | 95.25 | 84.83/93.45 | A
KcELECTRA-base (v2021) | 91.71 | 86.90 | 74.80 | 81.65 | 82.65 | 95.78 | 70.60/90.11 | B
KcELECTRA-base-v2022 | 91.97 | 87.35 | 76.50 | 82.12 | 83.67 | 95.12 | 69.00/90.40 | B
TUNiB-Electra-ko-base | 90.95 | 87.63 | 84.65 | 82.27 | 85.00 | 95.77 | 64.01/90.32 | C
KR-ELECTRA | 91.168 | 87.90 | 82.05 | 82.51 | 85.41 | 95.51 | 84.93/93.04 | E
bert-kor-base (LMkor) | 90.87 | 87.27 | 82.80 | 82.32 | 84.31 | 95.25 | - | F
electra-kor-base (LMkor) | 91.29 | 87.20 | 85.50 | 83.11 | 85.46 | 95.78 | - | F
funnel-kor-base (LMkor) | 91.36 | 88.02 | 83.90 | - | 84.52 | 95.51 | - | F
KLUE-BERT-base ("KoBERT(KLUE)") | 90.20 | 87.11 | 81.36 | 81.06 | 82.47 | 95.03 | 84.43/93.05 | D
KLUE-BERT-base | 90.62 | - | - | - | - | - | 83.84/93.23 | G
kpfBERT (news) | 91.29 | - | - | - | - | - | 86.42/94.95 | G
KLUE-RoBERTa-base | 91.16 | - | - | - | - | - | 85.35/94.53 | H
KoBigBird-base | 91.18 | - | - | - | - | - | 87.08/94.71 | H
mDeBERTa-v3-base | 90.01 | 87.43 | 85.55 | 80.41 | 82.65 | 94.06 | 65.48/89.74 | I
mDeBERTa-v3-base-kor-further | 90.52 | 87.87 | 85.85 | 80.65 | 81.90 | 94.98 | 66.07/90.35 | I
deberta-v3-xsmall-korean | 91.21 | - | 84.40 | 82.13 | 83.90 | 95.38 | - | J
deberta-v3-small-korean | 91.34 | - | 83.90 | 81.61 | 82.97 | 94.98 | - | J
deberta-v3-base-korean | 91.22 | - | 85.50 | 82.81 | 84.46 | 95.77 | - | J
"""

KLUE_TITLES = ("TC F1", "STS r", "NLI acc", "NER entity F1", "MRC EM", "MRC ROUGE")
KLUE_TASKS = ("klue-ynat", "klue-sts", "klue-nli", "klue-ner", "klue-mrc", "klue-re")
_KLUE = """
mBERT | 81.55 | 84.66 | 73.20 | 76.50 | 44.66/55.92 | K
XLM-R-base | 83.52 | 89.16 | 77.33 | 80.37 | 27.48/53.93 | K
KR-BERT | 84.58 | 88.61 | 77.17 | 74.58 | 48.28/58.54 | K
KoELECTRA-base | 84.59 | 92.46 | 85.63 | 86.11 | 59.82/66.05 | K
KLUE-BERT-base | 85.73 | 90.85 | 81.63 | 83.97 | 62.32/68.51 | K
KLUE-RoBERTa-small | 84.98 | 91.54 | 79.33 | 83.65 | 57.32/62.70 | K
KLUE-RoBERTa-base | 85.07 | 92.50 | 84.83 | 84.60 | 68.67/73.98 | K
KLUE-RoBERTa-large | 85.69 | 93.35 | 89.17 | 85.00 | 75.58/80.59 | K
"""


def rows() -> list[Row]:
    """The published rows of COLUMNS, in the order in which they are listed."""
    return [_row(line, tuple(column.title for column in COLUMNS)) for line in _ROWS.strip().splitlines()]


def klue_rows() -> list[Row]:
    """KLUE's published baselines, by KLUE_TITLES."""
    return [_row(line, KLUE_TITLES) for line in _KLUE.strip().splitlines()]


def _row(line: str, titles: tuple[str, ...]) -> Row:
    model, *cells, source = (part.strip() for part in line.split("|"))
    # The last cell holds two figures, or one dash for both.
    figures = [*cells[:-1], *(cells[-1].split("/") if "/" in cells[-1] else ("-", "-"))]
    return Row(model, {title: cell for title, cell in zip(titles, figures, strict=True) if cell != "-"}, source)
