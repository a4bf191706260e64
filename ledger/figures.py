"""Figures of a run's samples: what its processes counted, and what they cost."""

from dataclasses import dataclass
from typing import Any

import polars as pl

BEATS = ("due", "sent", "answered", "late", "missed", "abandoned")
SENDS = ("planned", "started", "late")


def totals(samples: pl.DataFrame, prefix: str, names: tuple[str, ...]) -> dict[str, int]:
    """The cumulative counts `<prefix>_<name>` at the end of each process, added up."""
    columns = [f"{prefix}_{name}" if prefix else name for name in names]
    last = samples.group_by("process").agg(pl.col(columns).max()).select(pl.col(columns).sum())
    return {name: int(last[column][0]) for name, column in zip(names, columns, strict=True)}


def by_second(samples: pl.DataFrame, column: str) -> pl.DataFrame:
    """`second` (monotonic), `column` added up over processes, each with its last value in or before it."""
    return (
        samples.filter(pl.col(column).is_not_null())
        .select(pl.col("at_ns") // 10**9, "process", column)
        .pivot("process", index="at_ns", values=column, aggregate_function="last")
        .sort("at_ns")
        .select(second="at_ns", total=pl.sum_horizontal(pl.exclude("at_ns").forward_fill()))
        .rename({"total": column})
    )


def peak(samples: pl.DataFrame, column: str) -> int:
    """The most that all processes together had at once; 0 without samples."""
    if samples[column].drop_nulls().is_empty():
        return 0
    return int(by_second(samples, column)[column].sort(descending=True)[0])


def busiest_cpu_share(samples: pl.DataFrame) -> float:
    """Of one core, averaged over the samples given, of the process that used most; 0 with one sample."""
    spans = samples.group_by("process").agg(
        used=pl.col("cpu_s").max() - pl.col("cpu_s").min(),
        took=(pl.col("at_ns").max() - pl.col("at_ns").min()) / 1e9,
    )
    shares = spans.filter(pl.col("took") > 0).select(share=pl.col("used") / pl.col("took"))["share"]
    return max(shares.drop_nulls(), default=0.0)


@dataclass(frozen=True, slots=True)
class Costs:
    """The samples of the processes of one role, and when connections were first and most there."""

    samples: pl.DataFrame
    first_ns: int
    peak_ns: int

    @classmethod
    def of(cls, samples: pl.DataFrame, role: str) -> "Costs":
        connected = samples.filter(pl.col("connections") > 0, pl.col("role") == "generator")
        first_ns, peak_ns = 0, 0
        if connected.height:
            first_ns = connected.sort("at_ns")["at_ns"][0]
            most = by_second(connected, "connections").sort("connections", descending=True)["second"][0]
            peak_ns = (most + 1) * 10**9
        return cls(samples.filter(pl.col("role") == role), first_ns, peak_ns)

    def figures(self, connections: int) -> dict[str, Any]:
        """`processes`, `rss_bytes` at the peak of connections, `bytes_per_connection` (what the peak took
        more of a process's own memory than the moment before the first connection; None without either),
        `cpu_s`.

        Own memory is `anon_bytes`: of the rest, pages of programs and libraries, a forked process gets its
        share little by little, whatever its connections.
        """
        return {
            "processes": self.samples["process"].n_unique(),
            "rss_bytes": self._at("rss_bytes", self.peak_ns),
            "bytes_per_connection": self._per_connection("anon_bytes", connections),
            "cpu_s": self.spans("cpu_s"),
        }

    def machine(self, connections: int) -> dict[str, Any]:
        """Of the role machine: `used_bytes` at most and `available_bytes` at least; what a connection took of
        the whole machine, and of the kernel's caches for sockets where those can be read."""
        used, available = self.samples["used_bytes"].max(), self.samples["available_bytes"].min()
        return {
            "used_bytes": used,
            "available_bytes": available,
            "bytes_per_connection": self._per_connection("used_bytes", connections),
            "kernel_bytes_per_connection": self._per_connection("kernel_bytes", connections),
        }

    def spans(self, column: str) -> float:
        """By how much a cumulative column grew in each process, added up."""
        grown = self.samples.group_by("process").agg(grown=pl.col(column).max() - pl.col(column).min())
        return float(grown["grown"].sum())

    def _per_connection(self, column: str, connections: int) -> int | None:
        if not connections or self.samples[column].drop_nulls().is_empty():
            return None
        return (self._at(column, self.peak_ns) - self._at(column, self.first_ns - 1)) // connections

    def _at(self, column: str, at_ns: int) -> int:
        """The last value of each process up to then, or its first if there is none, added up."""
        known = self.samples.filter(pl.col(column).is_not_null()).sort("at_ns")
        before = pl.col(column).filter(pl.col("at_ns") <= at_ns).last()
        values = known.group_by("process").agg(value=pl.coalesce(before, pl.col(column).first()))
        return int(values["value"].sum())
