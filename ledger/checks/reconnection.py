"""Who lost the connection comes back, and how: how soon, over which path, in how many attempts."""

from typing import Any

import polars as pl

from ledger.checks import Options, register
from ledger.connections import connection_rows, losses
from ledger.evidence import named_devices, printable
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Result, Verdict, Witness, nothing

QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "max_ms": 1.0}

NOTHING_LOST: dict[str, Any] = {
    "lost": 0,
    "back": 0,
    "away": 0,
    "left": 0,
    **dict.fromkeys(QUANTILES),
    "attempts_max": 0,
    "by_path": {},
    "fallbacks": 0,
    "busiest_second": 0,
}


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: `lost` connections, `back` of them, `away` at the end, `left` on purpose meanwhile; quantiles
    from the loss to the next login; `attempts_max`; `by_path`: logins after a loss by path; `fallbacks`:
    those over another path than the one lost; `busiest_second`: most of them within one second.

    Passes when all that lost a connection were back before the run had settled; unknown if nothing was lost.
    """
    lost = losses(ledger, grace_ns=0)
    if lost.is_empty():
        return nothing("nothing was lost", dict(NOTHING_LOST))
    in_time = (pl.col("back_ns") <= ledger.phases.settle_end_ns).fill_null(False)
    left = (pl.col("left_ns") < pl.col("back_ns")) | (
        pl.col("back_ns").is_null() & pl.col("left_ns").is_not_null()
    )
    left = left.fill_null(False)
    back, away = lost.filter(in_time & ~left), lost.filter(~in_time & ~left)
    took_ms = (back["back_ns"] - back["at_ns"]) / 1e6
    seconds = back.group_by(pl.col("back_ns") // 10**9).len()
    figures = {
        "lost": lost.height,
        "back": back.height,
        "away": away.height,
        "left": lost.filter(left).height,
        **{name: took_ms.quantile(q, "higher") for name, q in QUANTILES.items()},
        "attempts_max": back["attempts"].max() or 0,
        "by_path": dict(
            back.group_by(pl.col("back_via").cast(pl.String).fill_null("?"))
            .len()
            .sort("back_via")
            .iter_rows()
        ),
        "fallbacks": back.filter(pl.col("via").cast(pl.String) != pl.col("back_via").cast(pl.String)).height,
        "busiest_second": seconds["len"].max() or 0,
    }
    if away.is_empty():
        return Result(Verdict.PASS, figures)
    reason = f"{away.height} connections were lost and not made again"
    return Result(Verdict.FAIL, figures, _witnesses(ledger, away), reason)


def _witnesses(ledger: Ledger, away: pl.DataFrame) -> tuple[Witness, ...]:
    longest = (
        away.sort("at_ns", "device").unique("device", keep="first", maintain_order=True).head(MOST_WITNESSES)
    )
    return tuple(
        Witness(
            f"{named_devices(ledger, [row['device']])} lost {row['via'] or 'its connection'} "
            f"at {(row['at_ns'] - ledger.phases.start_ns) / 1e9:.3f} s and was not back at the end",
            printable(ledger, connection_rows(ledger, row["device"])),
        )
        for row in longest.to_dicts()
    )
