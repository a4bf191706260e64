"""Latencies of a run: exact ones of rows (from the planned moment on), and of histograms to three digits."""

from typing import Any

import numpy as np
import polars as pl

from ledger.histograms import merged
from ledger.reader import Ledger
from ledger.run_histograms import run_histograms
from ledger.schema import FOREIGN

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
FROM_HISTOGRAMS = ("heartbeat", "login", "reconnect")
NOTHING: dict[str, Any] = {"count": 0} | dict.fromkeys(QUANTILES)


def latencies(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """`count`, `p50`, `p90`, `p99`, `p999`, `max` in ms of `deliver`, `ack` and FROM_HISTOGRAMS;
    quantiles are None where there is no value."""
    deliver, ack = [], []
    parts = ledger.parts()
    for part in range(parts):
        in_part = pl.col("message") % parts == part
        sent = ledger.of("send").select("message", wanted_ns=pl.coalesce("planned_ns", "at_ns"))
        took = (
            ledger.of("delivered", "acked")
            .filter(in_part, pl.col("code").fill_null(0) != FOREIGN)
            .join(sent.filter(in_part), on="message")
            .select(shown=pl.col("event") == "delivered", took=_microseconds())
            .collect(engine="streaming")
        )
        deliver.append(took.filter("shown")["took"].to_numpy())
        ack.append(took.filter(~pl.col("shown"))["took"].to_numpy())
    exact = {"deliver": _of_values(np.concatenate(deliver)), "ack": _of_values(np.concatenate(ack))}
    # A run that ended before its histograms were written still has those of its seconds.
    histograms = ledger.histograms or run_histograms(ledger.samples)
    return exact | {name: _of_histogram(histograms.get(name)) for name in FROM_HISTOGRAMS}


def _microseconds() -> pl.Expr:
    """Since the wanted moment, whole, up to an hour and more, in half the memory."""
    return ((pl.col("at_ns") - pl.col("wanted_ns")) // 1000).clip(0, 2**32 - 1).cast(pl.UInt32)


def _of_values(microseconds: np.ndarray) -> dict[str, Any]:
    count = len(microseconds)
    if not count:
        return NOTHING
    ranks = [max(0, int(np.ceil(quantile * count)) - 1) for quantile in QUANTILES.values()]
    ordered = np.partition(microseconds, ranks)
    values = (round(float(ordered[rank]) / 1000, 3) for rank in ranks)
    return {"count": count} | dict(zip(QUANTILES, values, strict=True))


def _of_histogram(encoded: str | None) -> dict[str, Any]:
    if encoded is None:
        return NOTHING
    total = merged([encoded])
    if not total.get_total_count():
        return NOTHING
    values = {name: total.get_value_at_percentile(100 * q) / 1000 for name, q in QUANTILES.items()}
    return {"count": total.get_total_count()} | values
