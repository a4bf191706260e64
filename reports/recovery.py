"""How long after a fault the run was as before: no backlog, and the 99 % quantile back at its baseline."""

from dataclasses import dataclass

import polars as pl

from reports.evidence import Band, Evidence

INSTANT_REACH_S = 5.0
"""A fault without length is answered for by what was sent in the seconds after it."""

_P99_SLACK = 1.5
_P99_SLACK_MS = 50.0
"""A 99 % quantile of few milliseconds moves by more than a half without anything being wrong."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from the end of the fault; None: not before the next fault began or the run ended."""

    backlog_s: float | None
    p99_s: float | None


def reach(band: Band, nth: int, bands: tuple[Band, ...]) -> tuple[float, float]:
    """From when to when sends are put down to this fault."""
    if not band.instant:
        return band.start_s, band.end_s
    following = [other.start_s for other in bands[nth + 1 :] if other.start_s > band.start_s]
    return band.start_s, min([band.start_s + INSTANT_REACH_S, *following])


def recoveries(evidence: Evidence) -> list[Recovery]:
    """One a fault, in the order of `evidence.bands`."""
    bands = evidence.bands
    if not bands or evidence.sends.height == 0:
        return [Recovery(None, None) for _ in bands]
    first = min(band.start_s for band in bands)
    low, high = evidence.span_s
    p99 = _p99_by_second(evidence)
    calm = p99.filter(pl.col("t") < first)["p99"].median()
    before = evidence.backlog.filter(pl.col("t").is_between(max(low, 0.0), first))["in_flight"]
    # What never arrives stays in flight for ever, and must not hide that everything else did.
    floor = max(before.quantile(0.95) or 0.0, float(evidence.backlog["in_flight"][-1]))
    found = []
    for band in bands:
        limit = min(
            [other.start_s for other in bands if other.start_s >= band.end_s and other is not band] or [high]
        )
        highest_s = _highest(evidence.backlog, band.end_s, min(band.end_s + INSTANT_REACH_S, limit))
        backlog = _first(evidence.backlog, highest_s, limit, pl.col("in_flight") <= floor)
        if backlog is not None:
            backlog += highest_s - band.end_s
        quiet = None
        if isinstance(calm, int | float):
            quiet = _first(
                p99, band.end_s, limit, pl.col("p99") <= max(calm * _P99_SLACK, calm + _P99_SLACK_MS)
            )
        found.append(Recovery(backlog, quiet))
    return found


def _p99_by_second(evidence: Evidence) -> pl.DataFrame:
    width = max(evidence.bin_s, 1.0)
    return (
        evidence.first_deliveries.lazy()
        .group_by(((evidence.seconds("planned_ns") / width).floor() * width).alias("t"))
        .agg(pl.col("latency_ms").quantile(0.99).alias("p99"))
        .sort("t")
        .collect()
    )


def _highest(backlog: pl.DataFrame, after_s: float, limit_s: float) -> float:
    """When most was in flight: what a fault without length has done to others grows only after it."""
    seen = backlog.filter(pl.col("t").is_between(after_s, limit_s))
    nth = seen["in_flight"].arg_max()
    return after_s if nth is None else float(seen["t"][nth])


def _first(frame: pl.DataFrame, after_s: float, limit_s: float, good: pl.Expr) -> float | None:
    hit = frame.filter((pl.col("t") >= after_s) & (pl.col("t") <= limit_s) & good)
    return float(hit["t"][0]) - after_s if hit.height else None
