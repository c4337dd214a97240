from pathlib import Path

import pytest

from korbert.corpus.documents import Document, read_documents, shard_name
from korbert.errors import UsageError
from korbert.storage import write_jsonl

RECORD = {"id": "a", "date": "", "press": "", "section": "", "title": "", "sentences": ["가."]}


def test_documents_are_read_over_all_shards_in_order(tmp_path: Path) -> None:
    for number in range(12):
        write_jsonl(tmp_path / shard_name(number), [RECORD | {"id": f"{number}-{n}"} for n in range(2)])
    assert [document.id for document in read_documents(tmp_path)] == [f"{k}-{n}" for k in range(12) for n in range(2)]
    assert next(read_documents(tmp_path)) == Document("0-0", "", "", "", "", ["가."])


@pytest.mark.parametrize("present", [(), (1,), (0, 2)])
def test_a_hole_in_the_shards_is_no_corpus(tmp_path: Path, present: tuple[int, ...]) -> None:
    for number in present:
        write_jsonl(tmp_path / shard_name(number), [RECORD])
    with pytest.raises(UsageError, match="no whole set of document shards; run: korbert run --from corpus"):
        list(read_documents(tmp_path))


@pytest.mark.parametrize("record", [{"id": "a"}, RECORD | {"text": "가"}])
def test_a_record_of_another_shape_names_its_file(tmp_path: Path, record: dict[str, object]) -> None:
    write_jsonl(tmp_path / shard_name(0), [record])
    with pytest.raises(UsageError, match=r"documents-00000\.jsonl\.zst: holds a record that is no document"):
        list(read_documents(tmp_path))
