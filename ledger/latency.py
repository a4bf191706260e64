"""Latencies of a run: exact ones of rows (from the planned moment on), and of histograms to three digits."""

from typing import Any

import numpy as np
import polars as pl

from ledger.absences import absences, with_away
from ledger.histograms import merged
from ledger.reader import Ledger
from ledger.run_histograms import run_histograms
from ledger.schema import FOREIGN
from ledger.screening import screen

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
FROM_HISTOGRAMS = ("heartbeat", "login", "reconnect")
NOTHING: dict[str, Any] = {"count": 0} | dict.fromkeys(QUANTILES)


def latencies(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """`count`, `p50`, `p90`, `p99`, `p999`, `max` in ms of `deliver`, `ack`, `catch_up` and FROM_HISTOGRAMS;
    quantiles are None where there is no value.

    `catch_up` is for deliveries to devices that were away on purpose meanwhile, which `deliver` leaves out,
    as `ack` leaves out the sends of devices that left before the answer.
    """
    exact = {name: _of_values(np.concatenate(values)) for name, values in _taken(ledger).items()}
    # A run that ended before its histograms were written still has those of its seconds.
    histograms = ledger.histograms or run_histograms(ledger.samples)
    return exact | {name: _of_histogram(histograms.get(name)) for name in FROM_HISTOGRAMS}


def _taken(ledger: Ledger) -> dict[str, list[np.ndarray]]:
    """Microseconds of every delivery and acknowledgement; the screening took those of devices that were
    there all the time."""
    deliver, ack, catch_up = [], [], [np.empty(0, np.uint32)]
    away, screened = ledger.once(absences), ledger.once(screen)
    answers = ledger.of("delivered", "acked")
    if screened:
        deliver.append(screened.deliver_us)
        ack.append(screened.ack_us)
        answers = answers.filter(pl.col("device").is_in(away["device"].unique().implode()))
    parts = 0 if screened and away.is_empty() else ledger.parts()
    for part in range(parts):
        in_part = pl.col("message") % parts == part
        sent = ledger.of("send").select("message", wanted_ns=pl.coalesce("planned_ns", "at_ns"))
        took = (
            answers.filter(in_part, (pl.col("event") == "acked") | (pl.col("code").fill_null(0) != FOREIGN))
            .join(sent.filter(in_part), on="message")
            .select(
                "device", "at_ns", "wanted_ns", shown=pl.col("event") == "delivered", took=_microseconds()
            )
            .collect(engine="streaming")
        )
        took = with_away(took, away, "wanted_ns")
        deliver.append(took.filter("shown", ~pl.col("away"))["took"].to_numpy())
        catch_up.append(took.filter("shown", "away")["took"].to_numpy())
        ack.append(took.filter(~pl.col("shown"), ~pl.col("away"))["took"].to_numpy())
    return {"deliver": deliver, "ack": ack, "catch_up": catch_up}


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
