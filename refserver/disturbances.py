"""What a server suffers on purpose while it runs: a page of memory that it shares with whoever started it.

Looking at it costs no call of the kernel. What is set stays set when the server is killed and started again.
"""

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Self

_FIELDS = struct.Struct("=ddd")
_COMMIT_DELAY_S, _DISK_IS_FULL, _CLOCK_AHEAD_S = 0, 8, 16
_NUMBER = struct.Struct("=d")


class Disturbances:
    """Whoever has the same file open sees at once what is set here. Raises OSError or ValueError for a file
    that is none."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        with Path(path).open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _FIELDS.size)

    @classmethod
    def new(cls, path: str | os.PathLike[str]) -> Self:
        """A file at `path` that asks for nothing."""
        Path(path).write_bytes(bytes(_FIELDS.size))
        return cls(path)

    @property
    def commit_delay_s(self) -> float:
        """How much longer each commit takes."""
        return self._number(_COMMIT_DELAY_S)

    @commit_delay_s.setter
    def commit_delay_s(self, seconds: float) -> None:
        _NUMBER.pack_into(self._page, _COMMIT_DELAY_S, seconds)

    @property
    def disk_is_full(self) -> bool:
        """Whether commits fail as on a disk without space."""
        return self._number(_DISK_IS_FULL) != 0

    @disk_is_full.setter
    def disk_is_full(self, is_full: bool) -> None:
        _NUMBER.pack_into(self._page, _DISK_IS_FULL, float(is_full))

    @property
    def clock_ahead_s(self) -> float:
        """By how much the server's clock is ahead of the machine's; negative: behind."""
        return self._number(_CLOCK_AHEAD_S)

    @clock_ahead_s.setter
    def clock_ahead_s(self, seconds: float) -> None:
        _NUMBER.pack_into(self._page, _CLOCK_AHEAD_S, seconds)

    def clock(self) -> float:
        """Unix seconds by the server's clock."""
        return time.time() + self._number(_CLOCK_AHEAD_S)

    def _number(self, at: int) -> float:
        number: float = _NUMBER.unpack_from(self._page, at)[0]
        return number
