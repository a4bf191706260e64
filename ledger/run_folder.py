"""Where everything of a run lies. Everything after the run reads only this folder."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.errors import LedgerError
from ledger.samples import read_lines
from ledger.schema import CONVERSATIONS, DEVICES, MEMBERS

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class Phases:
    """The parts of a run, in monotonic nanoseconds; 0 for one that was not reached."""

    start_ns: int
    load_start_ns: int
    load_end_ns: int
    settle_end_ns: int
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What was broken, where, from when to when (monotonic nanoseconds)."""

    name: str
    target: str
    start_ns: int
    end_ns: int
    detail: dict[str, Any] = field(default_factory=dict)


class RunFolder:
    """The files of a run by name. Reading raises LedgerError for a file that is missing or makes no sense."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan = path / "plan.toml"
        self.environment = path / "environment.json"
        self.phases = path / "phases.json"
        self.tables = path / "tables"
        self.devices = self.tables / "devices.parquet"
        self.conversations = self.tables / "conversations.parquet"
        self.members = self.tables / "members.parquet"
        self.ledger = path / "ledger"
        self.processes = path / "processes"
        self.accounts_index = path / "accounts.index"
        self.faults = path / "faults.jsonl"
        self.histograms = path / "histograms.json"
        self.summary = path / "summary.json"
        self.report = path / "report.html"
        self.junit = path / "junit.xml"

    def create(self) -> None:
        """The folder and its sub-folders exist. Raises LedgerError if they cannot."""
        try:
            for folder in (self.path, self.tables, self.ledger, self.processes):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"cannot create the run folder {self.path}: {error.strerror}") from error

    def write_tables(
        self,
        devices: Iterable[tuple[int, int, str, str]],
        conversations: Iterable[tuple[int, str]],
        members: Iterable[tuple[int, int]],
    ) -> None:
        """The tables that rows refer to: (device, user, user_id, device_id), (conversation, name),
        (conversation, user). Raises LedgerError if they cannot be written."""
        _write_table(self.devices, devices, DEVICES)
        _write_table(self.conversations, conversations, CONVERSATIONS)
        _write_table(self.members, members, MEMBERS)

    def save_phases(self, phases: Phases) -> None:
        self._save(self.phases, phases)

    def load_phases(self) -> Phases:
        return self._load(self.phases, Phases)

    def save_environment(self, environment: dict[str, Any]) -> None:
        """Machine, versions, `target`, `scenario`, `seed`, the command line that repeats the run."""
        self._save(self.environment, environment)

    def load_environment(self) -> dict[str, Any]:
        return self._load(self.environment, dict[str, Any])

    def save_histograms(self, encoded: dict[str, str]) -> None:
        self._save(self.histograms, encoded)

    def load_histograms(self) -> dict[str, str]:
        """Base64 HDR histograms by name; none if the run ended before they were written."""
        return self._load(self.histograms, dict[str, str]) if self.histograms.exists() else {}

    def save_summary(self, summary: dict[str, Any]) -> None:
        self._save(self.summary, summary)

    def load_summary(self) -> dict[str, Any]:
        return self._load(self.summary, dict[str, Any])

    def add_fault(self, fault: Fault) -> None:
        """Appends one fault that is over."""
        try:
            with self.faults.open("ab") as file:
                file.write(msgspec.json.encode(fault) + b"\n")
        except OSError as error:
            raise LedgerError(f"cannot write {self.faults}: {error.strerror}") from error

    def load_faults(self) -> list[Fault]:
        """In order of their start; none if there is no file."""
        try:
            faults = msgspec.convert(read_lines(self.faults), list[Fault])
        except msgspec.ValidationError as error:
            raise LedgerError(f"{self.faults} is not a list of faults: {error}") from error
        return sorted(faults, key=lambda fault: fault.start_ns)

    def _save(self, path: Path, content: Any) -> None:
        try:
            path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
        except OSError as error:
            raise LedgerError(f"cannot write {path}: {error.strerror}") from error

    def _load(self, path: Path, kind: type[Loaded]) -> Loaded:
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except OSError as error:
            raise LedgerError(
                f"cannot read {path}: {error.strerror}; is {self.path} a run folder?"
            ) from error
        except msgspec.DecodeError as error:
            raise LedgerError(f"{path} makes no sense: {error}") from error


def _write_table(path: Path, rows: Iterable[tuple[Any, ...]], schema: Any) -> None:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    try:
        pq.write_table(pa.table(list(map(list, columns)), schema=schema), path, compression="zstd")
    except OSError as error:
        raise LedgerError(f"cannot write {path}: {error}") from error
