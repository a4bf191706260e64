"""The page of a history."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports.compare.comparison import signed
from reports.errors import ReportError
from reports.figures import plural
from reports.history.charts import draw
from reports.history.series import Past, Series
from reports.history.trend import Step, Trend, trends
from reports.pages import page
from reports.svg import render

_CHART = (430, 190)
_MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Followed:
    """A series with its trends."""

    series: Series
    trends: tuple[Trend, ...]

    @property
    def steps(self) -> list[tuple[Trend, Step]]:
        """All change points, the newest first."""
        found = [(trend, step) for trend in self.trends for step in trend.steps]
        return sorted(found, key=lambda one: -one[1].at)


def followed(found: Sequence[Series]) -> list[Followed]:
    """Every series with what became of its figures."""
    return [Followed(series, tuple(trends(series))) for series in found]


def told_step(trend: Trend, step: Step, series: Series) -> str:
    """`delivery p99 12 ms → 31 ms (+158 %) since 20261124-0015-smoke`."""
    say = trend.key.say
    moved = f" ({signed(step.share)})" if step.share is not None else ""
    return (
        f"{trend.key.title} {say(step.before)} → {say(step.after)}{moved} since {series.runs[step.at].name}"
    )


def build_page(folder: Path, history: Sequence[Followed], left_out: Sequence[str], path: Path) -> Path:
    """The page is at `path`, which is returned. Raises ReportError if it cannot be written."""
    html = page(
        "history.html",
        folder=str(folder),
        runs=sum(len(one.series.runs) for one in history),
        line=_line(history),
        tone="bad" if any(not step.better for one in history for _, step in one.steps) else "good",
        series=[_series(nth, one) for nth, one in enumerate(history)],
        left_out=left_out,
    )
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
    return path


def _line(history: Sequence[Followed]) -> str:
    steps = [step for one in history for _, step in one.steps]
    worse = sum(not step.better for step in steps)
    if not steps:
        return "no figure changed beyond noise"
    return f"{plural(worse, 'change')} for the worse, {plural(len(steps) - worse, 'change')} for the better"


def _series(nth: int, one: Followed) -> dict[str, Any]:
    return {
        "title": one.series.title,
        "count": len(one.series.runs),
        "steps": [
            {"text": told_step(trend, step, one.series), "better": step.better} for trend, step in one.steps
        ],
        "charts": [_chart(nth, place, trend, one.series) for place, trend in enumerate(one.trends)],
        "keys": [trend.key.title for trend in one.trends],
        "runs": [_run(run, one.trends, place) for place, run in _newest(one.series.runs)],
        "more": max(0, len(one.series.runs) - _MOST_ROWS),
    }


def _newest(runs: Sequence[Past]) -> list[tuple[int, Past]]:
    return list(enumerate(runs))[::-1][:_MOST_ROWS]


def _run(run: Past, found: Sequence[Trend], place: int) -> dict[str, Any]:
    values = [trend.values[place] for trend in found]
    return {
        "name": run.name,
        "at": time.strftime("%Y-%m-%d %H:%M", time.localtime(run.at)),
        "verdict": str(run.summary.get("verdict", "unknown")),
        "values": [
            "–" if value is None else trend.key.say(value) for trend, value in zip(found, values, strict=True)
        ],
    }


def _chart(nth: int, place: int, trend: Trend, series: Series) -> dict[str, Any]:
    last = trend.known[-1]
    sentence = f"Last {trend.key.say(last)}"
    if trend.steps:
        sentence += f"; {told_step(trend, trend.steps[-1], series).removeprefix(trend.key.title).strip()}"
    elif trend.unusual:
        sentence += "; unusual for its level"
    else:
        sentence += "; no change beyond noise"
    label = f"{trend.key.title}. {sentence}"
    drawn: Markup = render(partial(draw, trend=trend), _CHART, f"t{nth}-{place}", label)
    return {"title": trend.key.title, "sentence": sentence + ".", "svg": drawn, "unusual": trend.unusual}
