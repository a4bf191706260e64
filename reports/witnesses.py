"""The witnesses of a run: as the summary tells them, else asked again of the checks that failed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.checks import Options, all_checks
from ledger.result import Verdict
from reports.chart import Summary
from reports.evidence import NS_PER_S, Evidence
from reports.figures import bare, milliseconds
from reports.tables import words
from reports.telling import Telling, figure
from reports.timeline import Timeline, timelines

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Witness:
    """What went wrong, with the verdict of its check, the rows that show it (a tuple of cells each), and who
    was there meanwhile."""

    check: str
    verdict: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    timeline: Timeline | None


def witnesses(evidence: Evidence, summary: Summary, tell: Telling) -> list[Witness]:
    """The smallest evidence for each failure, in the order of the checks."""
    told = [
        (name, str(check.get("verdict")), text, _on_time_axis(evidence, rows))
        for name, check in (summary.get("checks") or {}).items()
        for text, rows in _told(check) or _asked_again(evidence, name, check)
    ]
    drawn = timelines(evidence, [rows for *_, rows in told], tell)
    return [
        Witness(name, verdict, text, *_table(rows, timeline, tell, str(nth)), timeline)
        for nth, ((name, verdict, text, rows), timeline) in enumerate(zip(told, drawn, strict=True))
    ]


def _told(told: Mapping[str, Any]) -> list[tuple[str, list[Row]]]:
    return [(found.get("text", ""), found.get("rows") or []) for found in told.get("witnesses") or []]


def _asked_again(evidence: Evidence, name: str, told: Mapping[str, Any]) -> Iterable[tuple[str, list[Row]]]:
    check = all_checks().get(name)
    if told.get("verdict") != Verdict.FAIL or check is None:
        return []
    return [(found.text, list(found.rows)) for found in check(evidence.ledger, Options()).witnesses]


def _on_time_axis(evidence: Evidence, rows: Sequence[Row]) -> list[Row]:
    """Witnesses count from the start of the run; the report has one clock, and it starts with the load."""
    shift_s = (evidence.ledger.phases.start_ns - evidence.zero_ns) / NS_PER_S
    return [{**row, "at_s": row["at_s"] + shift_s} if "at_s" in row else dict(row) for row in rows]


def _table(
    rows: Sequence[Row], timeline: Timeline | None, tell: Telling, place: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Columns that any of the rows uses, and the cells; beside what a device did, the path it had then."""
    if timeline is not None:
        rows = [{**row, "path": path} for row, path in zip(rows, timeline.paths, strict=True)]
    names = list(dict.fromkeys(key for row in rows for key in row if row[key] is not None))
    tell.note(f"{place}.rows", [dict(row) for row in rows])
    cells = tuple(
        tuple(_cell(f".{place}.rows.{nth}.{name}", name, row.get(name)) for name in names)
        for nth, row in enumerate(rows)
    )
    return tuple("time" if name == "at_s" else words(name) for name in names), cells


def _cell(path: str, name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, int | float):
        return figure(path, milliseconds if name == "at_s" else bare, value)
    return str(value)
