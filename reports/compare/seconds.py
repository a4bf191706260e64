"""The seconds of a run's load, drawn again and again with replacement: how much a figure would have differed
had the same load met other seconds (block bootstrap: Künsch 1989).

Seconds are drawn in blocks, since a slow one is seldom alone, and seconds with other faults on are drawn
apart, so that each draw has as much of every fault as the run had.
"""

import zlib
from collections.abc import Callable
from functools import cached_property

import numpy as np
import polars as pl

from reports.evidence import NS_PER_S, Evidence

DRAWS = 400
_GROWTH = np.log(1.01)
"""Buckets of latencies are a percent wide."""


class Seconds:
    """`count` seconds from the beginning of the load on; a row of each table is one of them."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.count = max(int(evidence.load_s), 1)

    @cached_property
    def weights(self) -> np.ndarray:
        """How often each second is in each draw: draws × seconds; the draws of a run are always the same."""
        seed = f"{self._evidence.zero_ns}/{self.count}".encode()
        dice = np.random.default_rng(zlib.crc32(seed))
        weights = np.zeros((DRAWS, self.count), np.float32)
        strata = self._strata()
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            block = max(1, round(len(members) ** (1 / 3)))
            blocks = -(-len(members) // block)
            begins = dice.integers(0, len(members), (DRAWS, blocks))
            picked = (begins[:, :, None] + np.arange(block)) % len(members)
            chosen = members[picked.reshape(DRAWS, -1)[:, : len(members)]]
            np.add.at(weights, (np.arange(DRAWS)[:, None], chosen), 1)
        return weights

    def _strata(self) -> np.ndarray:
        """Seconds with the same faults on have the same number."""
        on = np.zeros(self.count, np.int64)
        middle = np.arange(self.count) + 0.5
        for nth, band in enumerate(self._evidence.bands):
            on += (1 << (nth % 62)) * ((middle >= band.start_s) & (middle < band.end_s))
        return on

    def quantile_draws(self, table: np.ndarray, quantile: float) -> np.ndarray:
        """The quantile of each draw, in the unit of `latencies`; nan where a draw is empty."""
        totals = np.cumsum(self.weights @ table, axis=1)
        ranks = np.ceil(quantile * totals[:, -1])
        places = np.argmax(totals >= np.maximum(ranks, 1)[:, None], axis=1)
        values: np.ndarray = np.where(totals[:, -1] > 0, np.exp(places * _GROWTH), np.nan)
        return values

    def ratio_draws(self, over: np.ndarray, under: np.ndarray) -> np.ndarray:
        """Sum of the one by the sum of the other, in each draw; nan for nothing."""
        above, below = self.weights @ over, self.weights @ under
        ratios: np.ndarray = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
        return ratios

    def latencies(self, microseconds: np.ndarray, second: np.ndarray, count: np.ndarray) -> np.ndarray:
        """Seconds × buckets: how often each latency was found in each second of the load."""
        inside = (second >= 0) & (second < self.count) & (microseconds > 0)
        second, microseconds, count = second[inside], microseconds[inside], count[inside]
        bucket = np.round(np.log(np.maximum(microseconds, 1.0)) / _GROWTH).astype(np.int64)
        table = np.zeros((self.count, int(bucket.max(initial=0)) + 1), np.float32)
        np.add.at(table, (second, bucket), count)
        return table

    @cached_property
    def deliveries(self) -> np.ndarray:
        """`latencies` of deliveries, by the second in which the send was planned."""
        found = self._evidence.first_deliveries.filter(pl.col("latency_ms").is_not_null())
        return self._table(found.select("planned_ns", took=pl.col("latency_ms") * 1000))

    @cached_property
    def acknowledgements(self) -> np.ndarray:
        """`latencies` of acknowledgements, in the same way."""
        sends = self._evidence.sends.filter(pl.col("acked_ns").is_not_null())
        return self._table(
            sends.select("planned_ns", took=(pl.col("acked_ns") - pl.col("planned_ns")) / 1000)
        )

    def _table(self, found: pl.DataFrame) -> np.ndarray:
        second = self._of(found["planned_ns"])
        took = found["took"].to_numpy().astype(np.float64)
        return self.latencies(np.maximum(took, 1.0), second, np.ones(len(took), np.float32))

    def heard(self, histogram: str) -> np.ndarray:
        """`latencies` of what processes counted by the second: heartbeat, login, reconnect."""
        column = f"histograms_{histogram}"
        lines = self._evidence.ledger.samples.select("at_ns", text=column).filter(
            pl.col("text").is_not_null(), pl.col("text") != ""
        )
        parts = (
            lines.with_columns(pl.col("text").str.split(","))
            .explode("text")
            .with_columns(pl.col("text").str.split_exact(":", 1))
            .unnest("text")
            .cast({"field_0": pl.Float64, "field_1": pl.Float64})
        )
        # What a sample counts happened in the second before it.
        second = self._of(parts["at_ns"] - NS_PER_S // 2)
        return self.latencies(parts["field_0"].to_numpy(), second, parts["field_1"].to_numpy())

    def _of(self, at_ns: pl.Series) -> np.ndarray:
        moments = at_ns.to_numpy().astype(np.float64)
        seconds: np.ndarray = np.floor((moments - self._evidence.zero_ns) / NS_PER_S).astype(np.int64)
        return seconds

    def growth(self, role: str, column: str) -> np.ndarray:
        """By how much a count of all processes of a role grew in each second of the load."""
        return self._by_second(role, column, lambda values: np.diff(values, prepend=values[:1]).clip(0))

    def level(self, role: str, column: str) -> np.ndarray:
        """What all processes of a role had together in each second of the load."""
        return self._by_second(role, column, lambda values: values)

    def _by_second(self, role: str, column: str, made: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        found = np.zeros(self.count, np.float64)
        frame = self._evidence.totals(role, column)
        if frame.is_empty():
            return found
        second = frame["t"].to_numpy().astype(np.int64) - 1
        values = made(frame[column].fill_null(0).to_numpy().astype(np.float64))
        inside = (second >= 0) & (second < self.count)
        np.add.at(found, second[inside], values[inside])
        return found

    @cached_property
    def acknowledged(self) -> np.ndarray:
        """Messages acknowledged in each second of the load."""
        moments = self._evidence.sends["acked_ns"].drop_nulls()
        second = self._of(moments)
        inside = second[(second >= 0) & (second < self.count)]
        return np.bincount(inside, minlength=self.count).astype(np.float64)
