"""sweep.html: where the limit is, why, and what N users would take."""

import logging
from pathlib import Path
from typing import Any

import msgspec

from reports.build import NARROW, WIDE, Shown
from reports.capacity.chart import Registered, all_charts
from reports.capacity.section import section
from reports.capacity.sweep import SWEEP, Done, Findings, load
from reports.errors import ReportError
from reports.figures import cores, duration, exact, rate, size
from reports.pages import page
from reports.svg import render
from reports.tables import Fact
from reports.telling import Say, Telling, figure, plain

PAGE = "sweep.html"

_log = logging.getLogger(__name__)


def build_sweep(folder: Path) -> Path:
    """`sweep.html` in the folder of a sweep, made again from its sweep.json, which then has every number of
    the page; its path is returned. Raises ReportError."""
    sweep = load(folder)
    findings = Findings(sweep)
    shown = [_show(registered, findings) for registered in all_charts()]
    answer = section(findings.costs) if findings.costs else None
    tell = Telling()
    tone, word, line = _headline(findings, tell)
    facts = _facts(findings, tell)
    html = page(
        "sweep.html",
        name=folder.resolve().name,
        tone=tone,
        word=word,
        line=line,
        facts=[*facts, answer.fact] if answer and answer.fact else facts,
        charts=shown,
        columns=_COLUMNS,
        rows=[_row(nth, step) for nth, step in enumerate(sweep.steps)],
        capacity=answer,
        no_capacity="No step left anything to calculate with.",
        command=sweep.command,
        plan=sweep.plan,
    )
    sweep.figures = {one.chart.name: dict(one.made.figures) for one in shown if one.made}
    sweep.figures |= {"sweep": tell.figures} | ({"capacity": answer.figures} if answer else {})
    try:
        (folder / SWEEP).write_bytes(msgspec.json.format(msgspec.json.encode(sweep), indent=2) + b"\n")
        (folder / PAGE).write_text(html, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write into {folder}: {error.strerror}") from error
    return folder / PAGE


def _show(registered: Registered, findings: Findings) -> Shown:
    """The chart drawn wide and narrow; one that fails is shown as its error and logged."""
    chart: Any = registered
    try:
        made = registered.make(findings)
        if made.draw is None:
            return Shown(chart, made.sentence, made=made)
        label = f"{registered.title}. {plain(made.sentence)}"
        wide, narrow = (WIDE, made.height), (NARROW, made.narrow_height)
        return Shown(
            chart,
            made.sentence,
            made.keys,
            render(made.draw, wide, f"{registered.name}-w", label),
            render(made.draw, narrow, f"{registered.name}-n", label),
            made=made,
        )
    except Exception as error:  # noqa: BLE001 - whatever one chart does, the others are still evidence
        _log.exception("the chart %s failed", registered.name)
        return Shown(chart, error=f"{type(error).__name__}: {error}")


def _headline(findings: Findings, tell: Telling) -> tuple[str, str, str]:
    held, ended = findings.largest_held, findings.sweep.ended
    done = tell("steps_done", exact, len(findings.sweep.steps))
    reached = f"{done} of {tell('steps_planned', exact, findings.sweep.planned)} steps were run; {ended}."
    if held is None:
        return "bad", "Nothing held", f"The first step did not hold. {reached}"
    load = (
        f"{tell('held_connections', exact, held.connections)} connections and "
        f"{tell('held_rate', rate, held.rate)} messages a second"
    )
    return "good", "Held", f"up to {load}. {reached}"


def _facts(findings: Findings, tell: Telling) -> list[Fact]:
    facts = []
    withheld = findings.withheld(Telling())
    fitted = None if withheld else findings.fitted
    if fitted is not None:
        words = findings.load_words
        if fitted.knee is None:
            far = tell("knee_at_least", findings.say_load, fitted.knee_at_least)
            facts.append(Fact("Knee", f"> {far}", words))
        else:
            facts.append(Fact("Knee", tell("knee", findings.say_load, fitted.knee), words))
        room = tell.share("headroom", fitted.headroom, 1)
        facts.append(Fact("Head-room", room, "of the most throughput, at the largest step"))
    else:
        facts.append(Fact("Knee, head-room", "withheld", "too few points, or they follow no law"))
    if findings.costs and findings.costs.server.us_a_frame is not None:
        cost = figure("figures.spent.server.us_a_frame", exact, findings.costs.server.us_a_frame)
        facts.append(Fact("Server CPU", f"{cost} µs", "a frame"))
    if findings.costs and findings.costs.server.bytes_a_connection is not None:
        each = figure("figures.spent.server.bytes", size, findings.costs.server.bytes_a_connection)
        facts.append(Fact("Server memory", each, "a connection"))
    return facts


_CELLS: tuple[tuple[str, str, Say], ...] = (
    ("connections", "connections", exact),
    ("messages/s asked", "rate", rate),
    ("messages/s", "observed.messages_a_second", rate),
    ("frames/s", "observed.frames_a_second", rate),
    ("delivery p99", "deliver_p99_ms", duration),
    ("heartbeat p99", "heartbeat_p99_ms", duration),
    ("server cores", "observed.server.cores", cores),
    ("server memory", "observed.server.rss_bytes", size),
    ("swarm cores", "observed.swarm.cores", cores),
)
_COLUMNS = tuple(title for title, *_ in _CELLS)


def _row(nth: int, step: Done) -> dict[str, Any]:
    why = "; ".join([*step.missed, *(f"{name} failed" for name in step.failed)])
    if step.overloaded:
        why = "the swarm was the limit"
    elif step.observed is None:
        why = "the run left no summary"
    return {
        "href": f"{step.folder}/report.html",
        "report": step.observed is not None,
        "held": step.held,
        "why": why,
        "cells": [_cell(nth, step, path, say) for _, path, say in _CELLS],
    }


def _cell(nth: int, step: Done, path: str, say: Say) -> str:
    value: Any = step
    for part in path.split("."):
        value = getattr(value, part) if value is not None else None
    return "–" if value is None else figure(f"steps.{nth}.{path}", say, value)
