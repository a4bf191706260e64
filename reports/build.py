"""From a run folder to report.html, and to the figures that it adds to summary.json."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup

from ledger.errors import LedgerError
from ledger.run_folder import RunFolder
from reports import tables
from reports.capacity.costs import of_run
from reports.capacity.observed import observe
from reports.capacity.section import Section, section
from reports.chart import Chart, Registered, Summary, all_charts
from reports.errors import ReportError
from reports.evidence import Evidence
from reports.figures import bare, exact, second
from reports.opening import opened, pretty
from reports.packet_views import packet_views
from reports.pages import page
from reports.svg import render
from reports.telling import Telling, figure, plain
from reports.verdict import headline
from reports.witnesses import witnesses

WIDE, LEAD, NARROW = 880, 600, 345
GLANCE, GLANCES = (400, 176), 3

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
    made: Chart | None = None
    glance: Markup | None = None

    @property
    def place(self) -> str:
        return self.chart.place

    @property
    def gist(self) -> str:
        return self.made.gist if self.made else ""


def build_report(run_folder: Path) -> Path:
    """`report.html` in the run folder, made again from what is there; its path is returned. Every number of
    the page that summary.json had not is then at its `figures`, unless there is no summary.json.

    Raises ReportError if that is no run folder, or the report cannot be written.
    """
    with opened(run_folder) as (evidence, summary):
        html, figures = _page(run_folder, evidence, summary)
    path = run_folder / "report.html"
    try:
        if summary:
            RunFolder(run_folder).save_summary({**summary, "figures": figures})
        path.write_text(html, encoding="utf-8")
    except LedgerError as error:
        raise ReportError(str(error)) from error
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
        return Shown(registered, made.sentence, made=made)
    label = f"{registered.title}. {plain(made.sentence)}"
    wide = (LEAD if registered.lead else WIDE, made.height)
    return Shown(
        registered,
        made.sentence,
        made.keys,
        render(made.draw, wide, f"{registered.name}-w", label),
        render(made.draw, (NARROW, made.narrow_height), f"{registered.name}-n", label),
        made=made,
    )


def _glances(shown: Sequence[Shown]) -> list[Shown]:
    """The key charts of the first screen, drawn small."""
    ranked = sorted((one for one in shown if one.gist and one.wide), key=_glance)
    found = []
    for one in ranked[:GLANCES]:
        assert one.made is not None
        assert one.made.draw is not None
        label = f"{one.chart.title}. {plain(one.made.gist)}"
        small = render(one.made.draw, GLANCE, f"{one.chart.name}-g", label)
        found.append(Shown(one.chart, made=one.made, glance=small))
    return found


def _glance(one: Shown) -> int:
    return one.chart.glance or 0


def _page(folder: Path, evidence: Evidence, summary: Summary) -> tuple[str, dict[str, Any]]:
    """The page, and what it tells beyond the summary."""
    shown = [show(registered, evidence, summary) for registered in all_charts()]
    told = headline(summary, evidence.ledger.phases.interrupted)
    run, faults, seen = Telling(), Telling(), Telling()
    found = witnesses(evidence, summary, seen)
    around = evidence.ledger.environment
    seed = summary.get("seed", around.get("seed"))
    observed = observe(evidence, summary)
    capacity = section(of_run(observed)) if observed else None
    html = page(
        "report.html",
        capacity=capacity,
        no_capacity="The run had no load, or left no summary, so nothing is known of what it would take.",
        headline=told,
        exit_code=None if told.code is None else figure("figures.verdict.exit_code", exact, told.code),
        missing=evidence.missing,
        facts=_facts(evidence, summary, run),
        lead=[one for one in shown if one.chart.lead],
        glances=_glances(shown),
        charts=[one for one in shown if not one.chart.lead],
        key_figures=_key_figures(evidence, summary, run, capacity),
        thresholds=tables.thresholds(summary),
        checks=tables.checks(summary),
        witnesses=found,
        packet_views=packet_views(folder),
        faults=tables.faults(evidence, faults),
        bands=evidence.bands,
        run=folder.resolve().name,
        command=_command(around),
        seed=figure("seed", bare, seed) if isinstance(seed, int) else seed,
        environment=pretty(dict(around)),
        plan=_plan(folder),
    )
    figures = {one.chart.name: dict(one.made.figures) for one in shown if one.made and one.made.figures}
    figures |= {"verdict": dict(told.figures), "run": run.figures, "faults": faults.figures}
    figures |= {"witnesses": seen.figures}
    if observed and capacity:
        figures["capacity"] = {**capacity.figures, "observed": msgspec.to_builtins(observed)}
    return html, figures


def _key_figures(
    evidence: Evidence, summary: Summary, tell: Telling, capacity: Section | None
) -> list[tables.Fact]:
    found = tables.key_figures(evidence, summary, tell)
    return [*found, capacity.fact] if capacity and capacity.fact else found


def _facts(evidence: Evidence, summary: Summary, tell: Telling) -> list[tuple[str, str]]:
    around = evidence.ledger.environment
    known = {name: summary.get(name, around.get(name)) for name in ("scenario", "target", "seed")}
    facts = [
        (name, figure(name, bare, value) if isinstance(value, int) else str(value))
        for name, value in known.items()
        if value is not None
    ]
    if evidence.load_s:
        facts.append(("load", tell("load_s", second, evidence.load_s)))
    facts.append(("ledger", f"{tell('rows', exact, evidence.row_count)} rows"))
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
