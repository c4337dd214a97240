"""A report as text, Markdown and LaTeX: aligned, escaped, the best bold and the second underlined."""

from korbert.benchmarks.blocks import Cell, Heading, Item, Listing, Paragraph, Piece, Table
from korbert.report.benchmarks_text import latex, markdown, one_line, text, width

TABLE = Table(
    "Scores × 100",
    ("model", "ρ"),
    (
        (Cell("한국어 모형"), Cell("91.97", 91.97, "best")),
        (Cell("a_b & 50% | <i>"), Cell("91.71", 91.71, "second", "n=3, 10 of 20 rows")),
        (Cell("c"), Cell("–")),
    ),
    frozenset({1}),
)
LISTING = Listing(
    "Wrong", (Item("row 1: gold a", (("text", (Piece("앞 *별* "), Piece("서울", "LOC"), Piece("\n끝"))),)),), 1234
)
BLOCKS = (Heading("Part"), TABLE, LISTING, Paragraph("words " * 60))


def test_columns_stand_below_each_other_whatever_the_script() -> None:
    lines = text([TABLE]).splitlines()
    assert lines[0] == "Scores × 100. * best of a column, + second."
    assert {width(line) for line in lines[2:] if "rows" in line or "---" in line} == {30}
    assert lines[3].endswith("91.97*")
    assert [line.strip() for line in lines[5:7]] == ["n=3", "10 of 20 rows"]


def test_a_listing_is_a_line_a_text_with_its_marks() -> None:
    assert "Wrong (1 of 1,234)\n- row 1: gold a\n    text: 앞 *별* [서울]LOC 끝" in text(BLOCKS)
    assert max(map(width, text(BLOCKS).splitlines())) <= 120


def test_control_characters_reach_no_terminal() -> None:
    assert one_line("a\x1b[31mb\u2028c\td") == "a[31mb c d"


def test_markdown_escapes_what_rows_hold_and_marks_the_best() -> None:
    shown = markdown(BLOCKS)
    assert "| 한국어 모형 | **91.97** |" in shown
    assert r"| a\_b & 50% \| \<i\> | <u>91.71</u><br><sub>n=3, 10 of 20 rows</sub> |" in shown
    assert "Bold: best of a column; underlined: second." in shown
    assert "- row 1: gold a\n  - text: 앞 \\*별\\* **서울**`LOC` 끝" in shown
    assert shown.startswith("## Part\n")


def test_latex_is_a_booktabs_table_with_everything_escaped() -> None:
    shown = latex(BLOCKS)
    for part in (
        r"\toprule",
        r"\bottomrule",
        r"\begin{tabular}{lr}",
        r"$\rho$",
        r"\textbf{91.97}",
        r"Scores $\times$ 100",
    ):
        assert part in shown
    assert r"a\_b \& 50\% \textbar{} \textless{}i\textgreater{} & \underline{91.71} {\scriptsize(n=3" in shown
    assert shown.count(r"\midrule") == 2
    assert "별" not in shown
    assert shown.count("{") == shown.count("}")
