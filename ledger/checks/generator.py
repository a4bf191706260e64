"""Was the tester itself the bottleneck? Then the run's latencies say as much about it as about the server."""

from typing import Any

import polars as pl

from ledger.checks import Options, register
from ledger.figures import SENDS, busiest_cpu_share, totals
from ledger.reader import Ledger
from ledger.result import Result, Verdict, Witness, nothing

UNMEASURED: dict[str, Any] = {
    **dict.fromkeys(
        ("loop_lag_max_ms", "loop_lag_p99_ms", "collector_pause_max_ms", "cpu_share_max", "achieved")
    ),
    **{f"sends_{name}": 0 for name in SENDS},
    "overloaded": False,
}


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: `loop_lag_max_ms`, `loop_lag_p99_ms` over seconds and processes of the load;
    `collector_pause_max_ms`: what the garbage collector has of it at most; `cpu_share_max`: of one core, the
    busiest process; `sends_planned`, `sends_started`, `sends_late`; `achieved`: started of
    planned; `overloaded`.

    One spike is no overload: a single second may lag up to `lag_max_ms` (1000) as long as the 99th percentile
    stays within `lag_p99_ms` (100); 1 % of the sends may start late, and 1 % not at all.
    Passes, or is unknown with the limits of `Options` that were passed as its reason, or without samples.
    """
    phases = ledger.phases
    generators = ledger.samples.filter(pl.col("role") == "generator")
    under_load = generators.filter(pl.col("at_ns").is_between(phases.load_start_ns, phases.load_end_ns))
    lags = sorted(under_load["loop_lag_ms"].drop_nulls())
    if not lags:
        return nothing("no generator reported its loop lag during the load", dict(UNMEASURED))
    sends = totals(generators, "sends", SENDS)
    planned, started = sends["planned"], sends["started"]
    figures: dict[str, Any] = {
        "loop_lag_max_ms": lags[-1],
        "loop_lag_p99_ms": lags[(len(lags) - 1) * 99 // 100],
        "collector_pause_max_ms": under_load["collector_pause_ms"].max(),
        "cpu_share_max": busiest_cpu_share(under_load),
        **{f"sends_{name}": count for name, count in sends.items()},
        "achieved": started / planned if planned else None,
    }
    late_share = sends["late"] / started if started else 0.0
    limits = (
        (lags[-1], options.lag_max_ms, "loop lag of {:.0f} ms (limit {:.0f})"),
        (figures["loop_lag_p99_ms"], options.lag_p99_ms, "loop lag p99 of {:.0f} ms (limit {:.0f})"),
        (late_share, options.late_sends_share, "{:.1%} of sends late (limit {:.1%})"),
        (
            1 - started / planned if planned else 0.0,
            1 - options.offered_share,
            "{:.1%} not sent (limit {:.1%})",
        ),
    )
    passed = [text.format(value, limit) for value, limit, text in limits if value > limit]
    figures["overloaded"] = bool(passed)
    if not passed:
        return Result(Verdict.PASS, figures)
    reason = "overloaded: " + ", ".join(passed)
    return Result(Verdict.UNKNOWN, figures, (Witness(f"the generator was {reason}"),), reason)
