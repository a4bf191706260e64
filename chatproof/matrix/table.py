"""The matrix as people read it: a line a cell while it runs, a table at the end, and a page."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from chatproof.listening import CARRIERS
from chatproof.matrix.running import CANNOT, EMPTY, FAIL, PASS, Outcome, Size
from reports.pages import page

_COLORS = {PASS: "green", FAIL: "bold red", CANNOT: "yellow", EMPTY: "dim"}


def line(outcome: Outcome) -> str:
    """A cell that is over."""
    cell, counts = outcome.cell, outcome.figures
    said = outcome.why
    if counts:
        wrong = (
            f"{counts['lost']} lost, {counts['duplicated']} duplicated, {counts['out_of_order']} out of order"
        )
        refused = f", {counts['rejected']:,} refused" if counts["rejected"] else ""
        said = f"{counts['acked']:,} acknowledged{refused}: {wrong}; {recovered(outcome)}"
        said += f"; {outcome.why}" if outcome.why else ""
    return f"{cell.row:<34} {cell.carrier:<9} {outcome.word:<6} {said}"


def recovered(outcome: Outcome) -> str:
    """How long it took to recover, in words."""
    if outcome.recovered_s is None:
        return "not recovered while it was watched"
    return f"recovered in {outcome.recovered_s:.1f} s"


def mark(outcome: Outcome) -> str:
    """What stands in the table: seconds to recover where all is well."""
    if outcome.word != PASS:
        return {FAIL: "FAIL", CANNOT: "cannot", EMPTY: "–"}[outcome.word]
    return "ok" if outcome.recovered_s is None else f"{outcome.recovered_s:.1f} s"


def grid(outcomes: Sequence[Outcome]) -> list[tuple[str, dict[str, Outcome]]]:
    """By row, then by carrier."""
    found: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.cell.row, {})[outcome.cell.carrier] = outcome
    return list(found.items())


def carriers(outcomes: Iterable[Outcome]) -> list[str]:
    """Those that were tried, in their order."""
    tried = {outcome.cell.carrier for outcome in outcomes}
    return [name for name in CARRIERS if name in tried]


def table(outcomes: Sequence[Outcome]) -> Table:
    """Seconds to recover by fault and carrier."""
    columns = carriers(outcomes)
    made = Table(box=None, padding=(0, 2))
    made.add_column("fault")
    for name in columns:
        made.add_column(name, justify="right")
    for row, by_carrier in grid(outcomes):
        shown = [by_carrier.get(name) for name in columns]
        made.add_row(
            escape(row),
            *("" if each is None else f"[{_COLORS[each.word]}]{mark(each)}[/]" for each in shown),
        )
    return made


def closing(outcomes: Sequence[Outcome]) -> str:
    """What it adds up to, in a line."""
    words = [outcome.word for outcome in outcomes]
    sums = {
        name: sum(outcome.figures.get(name, 0) for outcome in outcomes)
        for name in ("acked", "lost", "duplicated", "out_of_order")
    }
    cannot = f", {words.count(CANNOT)} that this machine cannot" if CANNOT in words else ""
    empty = f", {words.count(EMPTY)} that do not apply" if EMPTY in words else ""
    return (
        f"{words.count(PASS)} of {words.count(PASS) + words.count(FAIL)} cells pass{cannot}{empty}; of "
        f"{sums['acked']:,} acknowledged messages {sums['lost']} lost, {sums['duplicated']} duplicated, "
        f"{sums['out_of_order']} out of order"
    )


def as_page(outcomes: Sequence[Outcome], size: Size) -> str:
    """One HTML file."""
    columns = carriers(outcomes)
    rows: list[dict[str, Any]] = []
    for row, by_carrier in grid(outcomes):
        shown = [by_carrier.get(name) for name in columns]
        rows.append({"row": row, "cells": [None if each is None else _shown(each) for each in shown]})
    notes = {(each.word, each.why): each for each in outcomes if each.why and each.word != PASS}
    return page(
        "faults.html",
        carriers=columns,
        rows=rows,
        closing=closing(outcomes),
        notes=[
            {"word": word, "row": each.cell.row, "carrier": each.cell.carrier, "why": why}
            for (word, why), each in notes.items()
        ],
        size=size,
        passes=all(each.word not in (FAIL, CANNOT) for each in outcomes),
    )


def _shown(outcome: Outcome) -> dict[str, str]:
    title = line(outcome)
    return {"word": outcome.word.replace("/", ""), "mark": mark(outcome), "title": " ".join(title.split())}
