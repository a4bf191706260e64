"""From a run folder to report.html."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import palette, tables
from reports.chart import Chart, Registered, Summary, all_charts
from reports.errors import ReportError
from reports.evidence import Evidence
from reports.figures import exact, second
from reports.opening import opened, pretty
from reports.svg import render
from reports.verdict import headline
from reports.witnesses import witnesses

WIDE, LEAD, NARROW = 880, 600, 345

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A chart as the page needs it. `error`: it could not be drawn, and this is why."""

    chart: Registered
    sentence: str = ""
    keys: tuple[Any, ...] = ()
    wide: Markup | None = None
    narrow: Markup | None = None
    error: str = ""


def build_report(run_folder: Path) -> Path:
    """`report.html` in the run folder, made again from what is there; its path is returned.

    Raises ReportError if that is no run folder, or the report cannot be written.
    """
    with opened(run_folder) as (evidence, summary):
        html = _page(run_folder, evidence, summary)
    path = run_folder / "report.html"
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
    return path


def show(registered: Registered, evidence: Evidence, summary: Summary) -> Shown:
    """The chart drawn twice, wide and narrow; one that fails is shown as its error and logged."""
    try:
        made = registered.make(evidence, summary)
        return _drawn(registered, made)
    except Exception as error:  # noqa: BLE001 - whatever one chart does, the others are still evidence
        _log.exception("the chart %s failed", registered.name)
        return Shown(registered, error=f"{type(error).__name__}: {error}")


def _drawn(registered: Registered, made: Chart) -> Shown:
    if made.draw is None:
        return Shown(registered, made.sentence)
    label = f"{registered.title}. {made.sentence}"
    wide = (LEAD if registered.lead else WIDE, made.height)
    return Shown(
        registered,
        made.sentence,
        made.keys,
        render(made.draw, wide, f"{registered.name}-w", label),
        render(made.draw, (NARROW, made.narrow_height), f"{registered.name}-n", label),
    )


def _page(folder: Path, evidence: Evidence, summary: Summary) -> str:
    shown = [show(registered, evidence, summary) for registered in all_charts()]
    phases = evidence.ledger.phases
    found = witnesses(evidence, summary)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["variable"] = palette.variable
    return environment.get_template("report.html").render(
        headline=headline(summary, phases.interrupted),
        missing=evidence.missing,
        facts=_facts(evidence, summary),
        lead=[one for one in shown if one.chart.lead],
        charts=[one for one in shown if not one.chart.lead],
        key_figures=tables.key_figures(evidence, summary),
        thresholds=tables.thresholds(summary),
        checks=tables.checks(summary),
        witnesses=found,
        faults=tables.faults(evidence),
        bands=evidence.bands,
        run=folder.resolve().name,
        command=_command(evidence.ledger.environment),
        seed=summary.get("seed", evidence.ledger.environment.get("seed")),
        environment=pretty(dict(evidence.ledger.environment)),
        plan=_plan(folder),
        light=palette.css("light"),
        dark=palette.css("dark"),
    )


def _facts(evidence: Evidence, summary: Summary) -> list[tuple[str, str]]:
    around = evidence.ledger.environment
    facts = [
        (name, str(value))
        for name in ("scenario", "target", "seed")
        if (value := summary.get(name, around.get(name))) is not None
    ]
    if evidence.load_s:
        facts.append(("load", second(evidence.load_s)))
    facts.append(("ledger", f"{exact(evidence.row_count)} rows"))
    return facts


def _command(environment: Mapping[str, Any]) -> str:
    for name in ("command", "command_line", "argv"):
        if found := environment.get(name):
            return " ".join(map(str, found)) if isinstance(found, list) else str(found)
    return ""


def _plan(folder: Path) -> str:
    try:
        return (folder / "plan.toml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
