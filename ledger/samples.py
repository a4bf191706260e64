"""One line a second and process: what it cost and how it fared."""

from pathlib import Path
from typing import Any

import msgspec

from ledger.errors import LedgerError


class SampleWriter:
    """Appends to `<process>.jsonl`; each line is with the operating system when `write` returns."""

    def __init__(self, folder: Path, process: str) -> None:
        """`folder`: the run's `processes/`. Raises LedgerError if the file cannot be created there."""
        self.path = folder / f"{process}.jsonl"
        try:
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise LedgerError(f"cannot create {self.path}: {error.strerror}") from error

    def write(self, sample: dict[str, Any]) -> None:
        """One sample: `at_ns`, `role`, `pid`, `rss_bytes`, `cpu_s`, … Raises LedgerError on a full disk."""
        try:
            self._file.write(msgspec.json.encode(sample) + b"\n")
        except OSError as error:
            raise LedgerError(f"cannot write {self.path}: {error.strerror}") from error

    def close(self) -> None:
        self._file.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a file, without a last one that a kill cut off; a file that is not there is empty.

    Raises LedgerError for a whole line that is no JSON object.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    try:
        return [msgspec.json.decode(line, type=dict[str, Any]) for line in lines if line.strip()]
    except msgspec.DecodeError as error:
        raise LedgerError(f"{path} holds a line that is no JSON object: {error}") from error
