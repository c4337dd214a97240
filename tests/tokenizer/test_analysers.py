import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.errors import UsageError
from korbert.tokenizer import analysers
from korbert.tokenizer.analysers import SEPARATOR, Segmented, morpheme_starts, require, segment, segmented

BOTH = pytest.mark.parametrize("analyser", ["mecab", "kiwi"])


def bars(text: str, analyser: str) -> str:
    return segment(text, analyser).text.replace(SEPARATOR, "|")


@BOTH
def test_eojeols_are_cut_between_their_morphemes(analyser: str) -> None:
    assert bars("정부는 서울에서 정책을", analyser) == "정부|는 서울|에서 정책|을"


def test_contracted_morphemes_stay_one_piece() -> None:
    assert bars("그가 갔다", "mecab") == "그|가 갔|다"
    assert bars("그가 했다", "kiwi") == "그|가 했|다"


@BOTH
def test_punctuation_hanja_and_spaces_need_no_separator(analyser: str) -> None:
    assert SEPARATOR not in segment("“金”, (A) 3.5%", analyser).text


@BOTH
def test_the_morphemes_of_an_eojeol_start_at_its_parts_and_around_its_signs(analyser: str) -> None:
    assert morpheme_starts("서울에서", analyser) == [0, 2]
    assert morpheme_starts("“정부는”", analyser) == [0, 1, 3, 4, 5]


def test_separators_that_stand_there_tell_the_same_without_an_analyser() -> None:
    assert morpheme_starts(f"정부{SEPARATOR}는.") == [0, 2, 4, 5]
    assert morpheme_starts("정부는") == [0]


@BOTH
@pytest.mark.parametrize("name", ["[MASK]", "[SEP]", "[CLS]", "[PAD]", "[UNK]"])
def test_the_names_of_special_tokens_stay_whole(analyser: str, name: str) -> None:
    assert name in segment(f"정부는 {name}에서 {name}", analyser).text


@BOTH
@pytest.mark.parametrize("blank", ["\0", "\n", "\t", "\u3000", "\x85"])
def test_what_comes_after_a_strange_blank_is_cut_too(analyser: str, blank: str) -> None:
    assert bars(f"정부는{blank}서울에서", analyser).endswith("서울|에서")


@BOTH
def test_a_long_text_is_cut_to_its_end(analyser: str) -> None:
    assert bars("정부는 " * 20_000 + "서울에서", analyser).endswith("정부|는 서울|에서")


@BOTH
@settings(max_examples=50)
@given(data=st.data())
def test_positions_are_mapped_back_to_the_text(analyser: str, hard_texts, data) -> None:  # type: ignore[no-untyped-def]
    text = data.draw(hard_texts)
    cut = segment(text, analyser)
    for position, character in enumerate(cut.text):
        if position not in cut.inserted:
            assert text[cut.original(position)] == character
    assert cut.original(len(cut.text)) == len(text)


def test_a_span_that_ends_before_a_separator_ends_there() -> None:
    cut = Segmented(f"가{SEPARATOR}나{SEPARATOR}다", (1, 3))
    assert [cut.original(position) for position in (0, 1, 2, 3, 4, 5)] == [0, 1, 1, 2, 2, 3]


def test_without_an_analyser_texts_stay_as_they_are() -> None:
    assert segmented(["정부는 ", ""], "") == ["정부는 ", ""]


@pytest.mark.parametrize(("analyser", "package"), [("mecab", "mecab_ko"), ("kiwi", "kiwipiepy")])
def test_a_missing_package_is_named_with_its_extra(
    analyser: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        UsageError,
        match=rf"tokenizer\.segmentation = '{analyser}': needs {package}, .*; run: pip install korbert\[morphemes\]",
    ):
        require(analyser, "tokenizer.segmentation")
