"""Opening a run folder however little of it there is: what is missing is named, and the rest is shown."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from ledger.errors import LedgerError
from ledger.reader import Ledger
from ledger.run_folder import Phases, RunFolder
from reports.errors import ReportError
from reports.evidence import Evidence

_SIGNS = ("plan.toml", "environment.json", "phases.json", "summary.json", "ledger", "faults.jsonl")


class _PartialRun(RunFolder):
    """A run folder that answers with nothing where the real one has nothing; `missing` says so, a line each.

    `spare`: an empty folder for what stands in for missing tables and for unreadable ledger files.
    """

    def __init__(self, path: Path, spare: Path) -> None:
        super().__init__(path)
        self.missing: list[str] = []
        stand_in = RunFolder(spare)
        stand_in.create()
        stand_in.write_tables([], [], [])
        for table in ("devices", "conversations", "members"):
            real: Path = getattr(self, table)
            if not _is_parquet(real):
                self.missing.append(f"the table of {table} ({real.relative_to(path)})")
                setattr(self, table, getattr(stand_in, table))
        self.ledger = self._readable_ledger(stand_in.ledger)

    def _readable_ledger(self, readable: Path) -> Path:
        files = [*sorted(self.ledger.glob("*.parquet")), *sorted(self.ledger.glob("*.arrows"))]
        if not files:
            self.missing.append("the ledger (no file in ledger/): no message can be accounted for")
        for file in files:
            if file.suffix == ".arrows" or _is_parquet(file):
                (readable / file.name).symlink_to(file.resolve())
            else:
                self.missing.append(f"the rows of {file.name}, which cannot be read")
        return readable

    def load_phases(self) -> Phases:
        try:
            phases = super().load_phases()
        except LedgerError:
            self.missing.append("the phases of the run (phases.json): times count from the first row")
            return Phases(0, 0, 0, 0)
        for name in ("load_start_ns", "load_end_ns", "settle_end_ns"):
            if not getattr(phases, name):
                self.missing.append(f"the phase mark {name}: the run did not get that far")
        return phases

    def load_environment(self) -> dict[str, Any]:
        return self._or_nothing(super().load_environment, "the environment (environment.json)")

    def load_histograms(self) -> dict[str, str]:
        return self._or_nothing(super().load_histograms, "the histograms (histograms.json)")

    def load_summary(self) -> dict[str, Any]:
        return self._or_nothing(super().load_summary, "the summary (summary.json): nothing was judged")

    def load_faults(self) -> list[Any]:
        try:
            return super().load_faults()
        except LedgerError:
            self.missing.append("the faults (faults.jsonl cannot be read)")
            return []

    def _or_nothing(self, load: Any, what: str) -> dict[str, Any]:
        try:
            loaded: dict[str, Any] = load()
        except LedgerError:
            self.missing.append(what)
            return {}
        return loaded


@contextmanager
def opened(path: Path) -> Iterator[tuple[Evidence, Mapping[str, Any]]]:
    """The evidence and the summary (empty if there is none) of a run folder, whole or not.

    Raises ReportError if `path` is no run folder at all.
    """
    if not path.is_dir():
        raise ReportError(f"{path} is no folder; name a run folder such as runs/<id>")
    if not any((path / sign).exists() for sign in _SIGNS):
        raise ReportError(f"{path} is no run folder: it holds none of {', '.join(_SIGNS)}")
    with TemporaryDirectory(prefix="chatproof-report-") as spare:
        run = _PartialRun(path, Path(spare))
        try:
            ledger = Ledger.open(run)
        except LedgerError as error:
            raise ReportError(str(error)) from error
        summary = run.load_summary()
        if not run.environment.exists():
            run.missing.append("the environment (environment.json)")
        evidence = Evidence(ledger)
        if run.ledger.exists() and any(run.ledger.iterdir()) and evidence.row_count == 0:
            run.missing.append("rows: the ledger is there and has none")
        if ledger.samples.height == 0:
            run.missing.append("samples of the processes (processes/*.jsonl): no heartbeats, memory or CPU")
        yield Evidence(ledger, tuple(run.missing)), summary


def _is_parquet(path: Path) -> bool:
    try:
        pl.read_parquet_schema(path)
    except (OSError, pl.exceptions.PolarsError):
        return False
    return True


def pretty(content: Any) -> str:
    """JSON for people."""
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)
