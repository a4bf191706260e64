"""Run folders below a folder, sorted into series: runs of one plan against one kind of server."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.run_folder import RunFolder
from reports.compare.run import dialect_of
from reports.errors import ReportError


@dataclass(frozen=True, slots=True)
class Past:
    """A run that was judged. `at`: when it started, Unix seconds."""

    path: Path
    at: float
    summary: Mapping[str, Any]
    environment: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def at_path(self, path: str) -> float | None:
        """The figure at a dotted path of the summary; None where it has none, and for latencies of an
        overloaded generator, which are its own."""
        if path.startswith("latency_ms.") and not self.summary.get("latency_valid", True):
            return None
        found: Any = self.summary
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


@dataclass(frozen=True, slots=True)
class Series:
    """Runs of one kind, the oldest first."""

    title: str
    runs: tuple[Past, ...]


def series_below(folder: Path) -> tuple[list[Series], list[str]]:
    """The series, the longest first, and a line for each folder that looked like a run and was left out.

    Raises ReportError if there is no judged run at all.
    """
    if not folder.is_dir():
        raise ReportError(f"{folder} is no folder; name one that holds run folders, such as runs")
    groups: dict[str, list[Past]] = {}
    left_out = []
    for path in _candidates(folder):
        try:
            past = _read(RunFolder(path))
        except LedgerError as error:
            left_out.append(f"{path.name}: {error}")
            continue
        groups.setdefault(_title(past), []).append(past)
    if not groups:
        raise ReportError(f"{folder} holds no run that was judged (no summary.json one or two levels below)")
    found = [
        Series(title, tuple(sorted(runs, key=lambda run: (run.at, run.name))))
        for title, runs in groups.items()
    ]
    return sorted(found, key=lambda series: (-len(series.runs), series.title)), left_out


def _candidates(folder: Path) -> Iterator[Path]:
    summaries = {*folder.glob("*/summary.json"), *folder.glob("*/*/summary.json")}
    yield from sorted(path.parent for path in summaries)


def _read(run: RunFolder) -> Past:
    summary = run.load_summary()
    environment = run.load_environment() if run.environment.exists() else {}
    started = environment.get("started")
    try:
        at = datetime.fromisoformat(str(started)).timestamp()
    except ValueError:
        # Runs of Locust's page do not note their start; the verdict was written at their end.
        at = run.summary.stat().st_mtime
    return Past(run.path, at, summary, environment)


def _title(past: Past) -> str:
    around = past.environment
    target = str(around.get("target") or "embedded")
    server = around.get("server") or around.get("start")
    where = (
        server
        if isinstance(server, str) and server
        else "reference server"
        if target == "embedded"
        else target
    )
    plan = around.get("plan")
    scenario = past.summary.get("scenario") or "unknown scenario"
    what = f"{plan} ({scenario})" if plan and plan != scenario else str(scenario)
    connections = past.at_path("connections.target") or 0
    return f"{what}, {connections:,.0f} connections, {where} ({around.get('dialect') or dialect_of(target)})"
