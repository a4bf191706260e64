"""A comparison as one HTML file."""

import logging
from pathlib import Path
from typing import Any

from reports.build import NARROW, WIDE, Shown
from reports.compare.chart import Registered, all_charts, colour_of
from reports.compare.comparison import Comparison, Row, signed
from reports.compare.noise import Change, Kind
from reports.errors import ReportError
from reports.pages import page
from reports.svg import render

_TONES = {0: "good", 1: "bad", 99: "bad"}
_log = logging.getLogger(__name__)


def build_page(comparison: Comparison, path: Path) -> Path:
    """The page is at `path`, which is returned. Raises ReportError if it cannot be written."""
    word, line = comparison.headline
    html = page(
        "compare.html",
        word=word,
        line=line,
        tone=_TONES[comparison.exit_code] if any(comparison.judged) else "unsure",
        code=comparison.exit_code,
        sides=[
            {"label": side.label, "runs": side.runs, "colour": colour_of(place)}
            for place, side in enumerate(comparison.sides)
        ],
        verdicts=[one for one in comparison.verdicts if set(one.verdicts) != {"–"}],
        groups=_groups(comparison),
        charts=[_show(registered, comparison) for registered in all_charts()],
        setup=comparison.setup,
        missed=comparison.missed,
        overloaded=comparison.overloaded,
    )
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
    return path


def _groups(comparison: Comparison) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rows by group, as texts."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in comparison.rows:
        groups.setdefault(row.figure.group, []).append(_row(row))
    return list(groups.items())


def _row(row: Row) -> dict[str, Any]:
    say = row.figure.say
    return {
        "title": row.figure.title,
        "name": row.figure.name,
        "values": ["–" if value is None else say(value) for value in row.values],
        "changes": [_change(one) for one in row.changes],
    }


def _change(one: Change) -> dict[str, str]:
    around, relative = one.relative_interval(), one.relative
    if one.kind is Kind.ABSENT:
        return {"text": "–", "kind": "absent", "mark": "", "around": ""}
    return {
        "text": signed(relative) if relative is not None else "",
        "kind": one.kind.name.lower(),
        "mark": "" if one.kind is Kind.SHOWN else str(one.kind),
        "around": f"{signed(around[0])} to {signed(around[1])}" if around else "",
    }


def _show(registered: Registered, comparison: Comparison) -> Any:
    try:
        made = registered.make(comparison)
        if made.draw is None:
            return Shown(registered, made.sentence)  # type: ignore[arg-type]
        label = f"{registered.title}. {made.sentence}"
        return Shown(
            registered,  # type: ignore[arg-type]
            made.sentence,
            made.keys,
            render(made.draw, (WIDE, made.height), f"{registered.name}-w", label),
            render(made.draw, (NARROW, made.narrow_height), f"{registered.name}-n", label),
        )
    except Exception as error:  # noqa: BLE001 - whatever one chart does, the others are still evidence
        _log.exception("the chart %s failed", registered.name)
        return Shown(registered, error=f"{type(error).__name__}: {error}")  # type: ignore[arg-type]
