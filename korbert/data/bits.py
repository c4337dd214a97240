"""Flags on disk, one bit each (numpy's little bit order)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


class Bits:
    """Flags in packed bytes, memory-mapped or not."""

    def __init__(self, packed: NDArray[Any]) -> None:
        self._packed = packed

    @property
    def set(self) -> int:
        """Flags that are true."""
        return int(np.bitwise_count(self._packed).sum())

    def holds(self, flags: int) -> bool:
        """Whether the bytes are as many as so many flags want."""
        return len(self._packed) == -(-flags // 8)

    def between(self, begin: int, end: int) -> Flags:
        """Flags [begin, end)."""
        first = begin // 8
        bits = np.unpackbits(self._packed[first : -(-end // 8)], bitorder="little")
        return bits[begin - 8 * first : end - 8 * first].astype(np.bool_)

    def at(self, places: NDArray[np.int64]) -> Flags:
        """Flags at any places (n,)."""
        bits = self._packed[places >> 3] >> (places & 7).astype(np.uint8) & 1
        return np.asarray(bits).astype(np.bool_)


class BitWriter:
    """Writes flags to a file as they come."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        # Those that do not fill a byte yet.
        self._loose: Flags = np.zeros(0, np.bool_)

    def write(self, flags: Flags) -> None:
        """Takes some more (n,)."""
        flags = np.concatenate([self._loose, flags])
        whole = len(flags) // 8 * 8
        self._file.write(np.packbits(flags[:whole], bitorder="little").tobytes())
        self._loose = flags[whole:]

    def close(self) -> None:
        """Puts the last ones on the disk."""
        self._file.write(np.packbits(self._loose, bitorder="little").tobytes())
        settle(self._file)

    def discard(self) -> None:
        """Closes the file, whatever has become of its bytes."""
        give_up(self._file)


def settle(handle: IO[bytes]) -> None:
    """Closes a file whose bytes are on the disk."""
    handle.flush()
    os.fsync(handle.fileno())
    handle.close()


def give_up(handle: IO[bytes]) -> None:
    """Closes a file that nobody wants."""
    with suppress(OSError):  # what a full disk did not take may still lie in the buffer
        handle.close()
