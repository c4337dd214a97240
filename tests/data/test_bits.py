"""Flags in packed bytes are those that were written, from any place."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert.data.bits import Bits, BitWriter

FLAGS = st.lists(st.booleans(), max_size=40)


@given(st.lists(FLAGS, min_size=1, max_size=6), st.data())
def test_flags_written_in_parts_are_read_from_any_place(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[bool]], data: st.DataObject
) -> None:
    path, flags = tmp_path_factory.mktemp("bits") / "flags.bin", [flag for part in parts for flag in part]
    writer = BitWriter(path)
    for part in parts:
        writer.write(np.array(part, np.bool_))
    writer.close()
    bits = Bits(np.fromfile(path, np.uint8))
    begin = data.draw(st.integers(0, len(flags)))
    end = data.draw(st.integers(begin, len(flags)))
    places = data.draw(st.lists(st.integers(0, len(flags) - 1), max_size=9)) if flags else []
    assert bits.between(begin, end).tolist() == flags[begin:end]
    assert bits.at(np.array(places, np.int64)).tolist() == [flags[place] for place in places]
    assert bits.set == sum(flags)


@pytest.mark.parametrize(("flags", "size"), [(0, 0), (1, 1), (8, 1), (9, 2), (16, 2)])
def test_bytes_hold_eight_flags_each(flags: int, size: int) -> None:
    assert Bits(np.zeros(size, np.uint8)).holds(flags)
    assert not Bits(np.zeros(size + 1, np.uint8)).holds(flags)


def test_a_file_given_up_lets_go_of_its_handle(tmp_path: Path) -> None:
    writer = BitWriter(tmp_path / "flags.bin")
    writer.write(np.ones(3, np.bool_))
    writer.discard()
    with pytest.raises(ValueError, match="closed file"):
        writer.write(np.ones(8, np.bool_))
    assert (tmp_path / "flags.bin").read_bytes() == b""
