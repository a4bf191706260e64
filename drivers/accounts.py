"""Who the devices are: a CSV file of users and tokens (or passwords: what the dialect needs), read where it
lies.

A million accounts as strings would weigh more than their connections do, and a hundred processes have one
file. So it is mapped, they all share its pages, and of a plain file each keeps a number for every few lines.
"""

import csv
import mmap
import os
import re
from array import array
from bisect import bisect_right
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.contract import Identity

_PLAIN = re.compile(rb'[^,"\r\n\x80-\xff]+,[^,"\r\n\x80-\xff]+(?=\r?(?:\n|\Z))')
"""ASCII without quotes, as nearly all lines are: such a line needs no second look."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEADERS = (["user", "token"], ["user", "password"])
_BLOCK_BYTES = 1024
_NOT_PLAIN = (b'"', b"\n\n", b"\n\r", b"\n,", b",\n", b",\r")
"""Quotes, empty lines, empty users and empty tokens."""


class AccountsError(Exception):
    """A file that cannot be used; the text names the file, the line and what is wrong with it."""


class AccountsFile:
    """`user,token` a line, a header line or none; fields with commas or quotes are quoted as CSV does.

    `count`: how many accounts there are; empty lines are none. Raises AccountsError. The file must not be
    shortened while it is in use; close it, or use it as a context manager. `index`: where `save_index` of
    another process may have written down what looking through the whole file finds out.
    """

    __slots__ = ("_data", "_first", "_mark", "_offsets", "_path", "count")

    def __init__(self, path: str | os.PathLike[str], index: Path | None = None) -> None:
        self._path = Path(path)
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size == 0:
                    raise AccountsError(f"{self._path}: the file is empty; write user,token lines into it")
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise AccountsError(f"{self._path}: {error.strerror or error}") from error
        self._offsets: array[int] | memoryview[int] = array("Q")
        self._first: array[int] | memoryview[int] = array("Q")
        self._mark = array("Q", [status.st_size, status.st_mtime_ns])
        try:
            self.count = self._load_index(index) or self._index_blocks() or self._index_lines()
        except AccountsError:
            self._data.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the mapping back. Closing twice is allowed."""
        self._data.close()

    def __len__(self) -> int:
        return self.count

    def identity(self, index: int, device: str) -> Identity:
        """Account number `index`, from 0, as it logs in on `device`. Raises AccountsError beyond the last."""
        if not 0 <= index < self.count:
            raise AccountsError(
                f"{self._path}: account {index + 1} was asked for, but there are {self.count}; "
                f"issue more tokens"
            )
        at = self._offset(index)
        user, token = self._fields(self._line(at), at)
        return Identity(user, device, token)

    def save_index(self, path: Path) -> None:
        """What was found out about a plain file, for other processes that open it. Raises OSError."""
        if self._first:
            head = [self.count, len(self._first)]
            path.write_bytes(b"".join([self._mark, array("Q", head), self._first, self._offsets]))

    def _load_index(self, path: Path | None) -> int:
        """How many accounts there are, according to an index of this very file; 0 if there is none."""
        if path is None or not path.exists():
            return 0
        with path.open("rb") as file:
            # Mapped, so that all processes have one between them.
            held = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)).cast("Q")
        if [held[0], held[1]] != [*self._mark]:
            return 0
        count, blocks = held[2], held[3]
        self._first, self._offsets = held[4 : 4 + blocks], held[4 + blocks :]
        return count

    def _offset(self, index: int) -> int:
        if not self._first:
            return self._offsets[index]
        block = bisect_right(self._first, index) - 1
        at = self._offsets[block]
        for _ in range(index - self._first[block]):
            at = self._data.find(b"\n", at) + 1
        return at

    def _index_blocks(self) -> int:
        """How many accounts a plain file has; `_first` and `_offsets` say of every few lines which account it
        is and where. 0, and nothing is kept, if there may be more to a line than a user, a comma and a token.
        """
        data, end = self._data, len(self._data)
        headers = [",".join(header).encode() for header in _HEADERS]
        at = len(self._line(0)) if self._line(0).rstrip() in headers else 0
        count = 0
        first, offsets = array("Q"), array("Q")
        while at < end:
            # Up to the end of a line, so that the next block begins with one.
            block = b"\n" + data[at : min(data.find(b"\n", at + _BLOCK_BYTES) + 1, end) or end]
            lines = block.count(b"\n") - block.endswith(b"\n")
            is_plain = block.count(b",") == lines and block.isascii() and not block.endswith(b",")
            if not is_plain or any(sign in block for sign in _NOT_PLAIN):
                return 0
            first.append(count)
            offsets.append(at)
            count += lines
            at += len(block) - 1
        self._first, self._offsets = first, offsets
        return count

    def _index_lines(self) -> int:
        """How many accounts any file has; `_offsets` says of each where its line begins."""
        data, end = self._data, len(self._data)
        at = len(_BYTE_ORDER_MARK) if data[: len(_BYTE_ORDER_MARK)] == _BYTE_ORDER_MARK else 0
        is_first = True
        self._offsets = offsets = array("Q")
        while at < end:
            line = self._line(at)
            if line.strip():
                fields = None if not is_first and _PLAIN.match(line) else self._fields(line, at)
                if not is_first or fields not in _HEADERS:
                    offsets.append(at)
                is_first = False
            at += len(line)
        if not offsets:
            raise AccountsError(f"{self._path}: no account in it; write user,token lines into it")
        return len(offsets)

    def _line(self, at: int) -> bytes:
        end = self._data.find(b"\n", at)
        return self._data[at:] if end < 0 else self._data[at : end + 1]

    def _fields(self, line: bytes, at: int) -> list[str]:
        if _PLAIN.match(line):
            return line.decode("ascii").rstrip("\r\n").split(",")
        try:
            fields = next(csv.reader([line.decode().rstrip("\r\n")], strict=True))
        except UnicodeDecodeError:
            raise self._malformed("is not UTF-8", at) from None
        except csv.Error as error:
            raise self._malformed(f"is not CSV: {error}", at) from None
        if len(fields) != len(_HEADERS[0]):
            raise self._malformed(f"has {len(fields)} fields, not user,token", at)
        if not all(fields):
            raise self._malformed("has an empty user or token", at)
        return fields

    def _malformed(self, what: str, at: int) -> AccountsError:
        number = self._data[:at].count(b"\n") + 1
        return AccountsError(f"{self._path}, line {number}: {what}")
