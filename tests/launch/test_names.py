"""Names that Kubernetes takes."""

import pytest

from korbert.errors import UsageError
from korbert.launch import names


@pytest.mark.parametrize("name", ["a", "a-1", "korbert-pretrain", "a" * 63])
def test_a_label_is_taken(name: str) -> None:
    assert names.checked("name", name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "1a", "A", "a_b", "a.b", "가", "a\n", "a" * 64])
def test_what_is_no_label_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        names.checked("name", name)
    assert str(caught.value).startswith("name ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("workers", [1, 10, 11, 101])
def test_the_last_workers_pod_has_a_name_of_a_label(workers: int) -> None:
    longest = "a" * names.longest_training(workers)
    assert len(f"{longest}-worker-{workers - 1}") == names.LONGEST
