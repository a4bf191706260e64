"""The ledger in the frames that charts need, each computed once, in columns, never row by row.

Times are seconds since the load began (`zero_ns`); before it they are negative.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from ledger.absences import absences, with_away
from ledger.connections import losses
from ledger.reader import Ledger
from ledger.roll_call import SENDER, parties
from ledger.run_folder import Fault
from ledger.schema import FOREIGN
from reports.palette import FAULT_HUES

ROUTES = ("push", "retransmitted", "pull", "poll")
NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Band:
    """A fault on the time axis: the same label and colour in every chart."""

    label: str
    target: str
    start_s: float
    end_s: float
    colour: str
    detail: dict[str, Any]

    @property
    def instant(self) -> bool:
        """Nothing that lasts: a cut, a kill."""
        return self.end_s - self.start_s < 0.05


class Evidence:
    """`missing`: what the run folder should hold and does not, a line each."""

    def __init__(self, ledger: Ledger, missing: tuple[str, ...] = ()) -> None:
        self.ledger = ledger
        self.missing = missing

    @cached_property
    def _row_times(self) -> tuple[int, int, int]:
        first, last, rows = (
            self.ledger.rows.select(
                pl.col("at_ns").min().alias("first"), pl.col("at_ns").max().alias("last"), pl.len()
            )
            .collect()
            .row(0)
        )
        return first or 0, last or 0, rows

    @property
    def row_count(self) -> int:
        return self._row_times[2]

    @cached_property
    def zero_ns(self) -> int:
        """Where the time axis has its 0: the beginning of the load, or else of what there is."""
        phases = self.ledger.phases
        return phases.load_start_ns or phases.start_ns or self._row_times[0]

    @property
    def load_s(self) -> float:
        """How long the load lasted, up to the last row if it was cut short; 0 if it never began."""
        phases = self.ledger.phases
        end_ns = phases.load_end_ns or self._row_times[1]
        return max(end_ns - phases.load_start_ns, 0) / NS_PER_S if phases.load_start_ns else 0.0

    @cached_property
    def span_s(self) -> tuple[float, float]:
        """The ends of every time axis: the run, or what is known of it."""
        phases, (first, last, _) = self.ledger.phases, self._row_times
        begin, end = phases.start_ns or first, max(phases.settle_end_ns, phases.load_end_ns, last)
        samples = self.ledger.samples["at_ns"].drop_nulls()
        if samples.len():
            begin = min(begin or samples[0], int(samples.min()))  # type: ignore[arg-type]
            end = max(end, int(samples.max()))  # type: ignore[arg-type]
        low, high = (begin - self.zero_ns) / NS_PER_S, (end - self.zero_ns) / NS_PER_S
        return low, max(high, low + 1.0)

    def seconds(self, column: str) -> pl.Expr:
        """A column of monotonic ns on the time axis."""
        return (pl.col(column) - self.zero_ns) / NS_PER_S

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The faults, in the order of their start."""
        names = list(dict.fromkeys(fault.name for fault in self.ledger.faults))
        return tuple(self._band(fault, names.index(fault.name)) for fault in self.ledger.faults)

    def _band(self, fault: Fault, nth: int) -> Band:
        end_ns = (
            max(fault.end_ns, fault.start_ns)
            if fault.end_ns
            else int(self.span_s[1] * NS_PER_S) + self.zero_ns
        )
        # "plan: phase" in the detail; every band of a run is of the same plan.
        phase = str(fault.detail.get("phase", "")).rpartition(": ")[2]
        name = fault.name.replace("_", " ")
        return Band(
            f"{phase}: {name}" if phase else name,
            fault.target,
            (fault.start_ns - self.zero_ns) / NS_PER_S,
            (end_ns - self.zero_ns) / NS_PER_S,
            FAULT_HUES[nth % len(FAULT_HUES)],
            dict(fault.detail),
        )

    @cached_property
    def bin_s(self) -> float:
        """Width of a time bin, so that an axis has at most some three hundred of them."""
        length = self.span_s[1] - self.span_s[0]
        return next(
            width
            for width in (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1e9)
            if length / width <= 320
        )

    def binned(self, column: str, width_s: float | None = None) -> pl.Expr:
        """The middle of the bin that a moment in ns falls into, as seconds; column `t`."""
        width = width_s or self.bin_s
        return ((self.seconds(column) / width).floor() * width + width / 2).alias("t")

    @cached_property
    def sends(self) -> pl.DataFrame:
        """One row a message: message, device, conversation, planned_ns (when handed over, if nobody planned
        it), at_ns, acked_ns (null: never), sequence, expected (devices that should have it); by time."""
        present = parties(self.ledger)
        audience = present.group_by("conversation").agg(pl.len().cast(pl.Int64).alias("devices"))
        own = present.select("conversation", "device", own=pl.lit(1, pl.Int64))
        turned_down = pl.col("rejected") & pl.col("acked_ns").is_null()
        return (
            self._messages()
            .with_columns(device=SENDER.cast(pl.Int32), planned_ns=pl.coalesce("planned_ns", "sent_ns"))
            .join(audience.lazy(), on="conversation", how="left")
            .join(own.lazy(), on=["conversation", "device"], how="left")
            .with_columns(others=pl.col("devices").fill_null(0) - pl.col("own").fill_null(0))
            .select(
                *("message", "device", "conversation", "planned_ns", "acked_ns", "sequence"),
                at_ns="sent_ns",
                expected=pl.when(turned_down).then(0).otherwise("others"),
            )
            .sort("planned_ns", "message")
            .collect()
        )

    def _messages(self) -> pl.LazyFrame:
        event = pl.col("event")
        return (
            self.ledger.of("send", "acked", "rejected")
            .select(
                *("message", "conversation", "planned_ns", "sequence"),
                sent_ns=pl.when(event == "send").then("at_ns"),
                acked_ns=pl.when(event == "acked").then("at_ns"),
                rejected=event == "rejected",
            )
            .group_by("message")
            .agg(
                pl.col("conversation", "planned_ns", "sequence", "rejected").max(),
                pl.col("sent_ns", "acked_ns").min(),
            )
            .filter(pl.col("sent_ns").is_not_null())
        )

    @cached_property
    def deliveries(self) -> pl.DataFrame:
        """Every delivery to the application: at_ns, device, message, conversation, sequence, code, route (of
        ROUTES), planned_ns (null: nobody sent it), latency_ms (from the planned send; null where the device
        was away on purpose meanwhile), ordered by time."""
        route = (
            pl.when((pl.col("via") == "push") & (pl.col("code") >= 2))
            .then(pl.lit("retransmitted"))
            .otherwise(pl.col("via").cast(pl.String))
            .cast(pl.Enum(ROUTES), strict=False)
        )
        sent = self.sends.lazy().select("message", "planned_ns")
        found = (
            self.ledger.of("delivered")
            .filter((pl.col("code") != FOREIGN) | pl.col("code").is_null())
            .select("at_ns", "device", "message", "conversation", "sequence", "code", route=route)
            .join(sent, on="message", how="left", maintain_order="left")
            .with_columns(wanted_ns=pl.coalesce("planned_ns", "at_ns"))
            .sort("at_ns", maintain_order=True)
            .collect()
        )
        latency_ms = ((pl.col("at_ns") - pl.col("planned_ns")) / 1e6).cast(pl.Float32)
        return (
            with_away(found, absences(self.ledger), "wanted_ns")
            .with_columns(latency_ms=pl.when(~pl.col("away")).then(latency_ms))
            .drop("wanted_ns", "away")
        )

    @cached_property
    def first_deliveries(self) -> pl.DataFrame:
        """`deliveries` of messages that were sent: the first for each message and device, by time."""
        return self.deliveries.filter(pl.col("planned_ns").is_not_null()).unique(
            ["message", "device"], keep="first", maintain_order=True
        )

    @cached_property
    def fates(self) -> pl.DataFrame:
        """`sends` with, for each message: one count for each of ROUTES, `missing` (devices that never got it
        though it was acknowledged), `undetermined` (the same without acknowledgement) and `worst_ms`."""
        reached = (
            self.first_deliveries.lazy()
            .group_by("message")
            .agg(
                *((pl.col("route") == route).sum().cast(pl.Int64).alias(route) for route in ROUTES),
                pl.len().cast(pl.Int64).alias("reached"),
                pl.col("latency_ms").max().alias("worst_ms"),
            )
        )
        left = (pl.col("expected") - pl.col("reached")).clip(lower_bound=0)
        known = pl.col("acked_ns").is_not_null()
        return (
            self.sends.lazy()
            .join(reached, on="message", how="left")
            .with_columns(pl.col("reached", *ROUTES).fill_null(0))
            .with_columns(
                missing=pl.when(known).then(left).otherwise(0),
                undetermined=pl.when(known).then(0).otherwise(left),
            )
            .collect()
        )

    @cached_property
    def backlog(self) -> pl.DataFrame:
        """t, in_flight: deliveries that were due and had not happened at the end of each quarter second (or
        longer bin); left out are messages of which nothing is known, and devices away on purpose."""
        width = self.bin_s
        due = self.fates.lazy().select(
            t=self._bin_end("at_ns"), change=pl.col("expected") - pl.col("undetermined")
        )
        waited_for = pl.col("latency_ms").is_not_null()
        over = pl.when(waited_for).then(self._bin_end("at_ns")).otherwise(self._bin_end("planned_ns"))
        done = self.first_deliveries.lazy().select(t=over, change=pl.lit(-1, pl.Int64))
        changes = pl.concat([due, done]).group_by("t").agg(pl.col("change").sum()).collect()
        low, high = self.span_s
        grid = pl.DataFrame({"t": pl.int_range(int(low // width), int(high // width) + 2, eager=True)})
        return (
            grid.join(changes, on="t", how="left")
            .sort("t")
            .select(t=pl.col("t") * width, in_flight=pl.col("change").fill_null(0).cum_sum().clip(0))
        )

    def _bin_end(self, column: str) -> pl.Expr:
        return (self.seconds(column) / self.bin_s).floor().cast(pl.Int64) + 1

    @cached_property
    def latencies_ms(self) -> pl.Series:
        """Sorted, first deliveries only, from the planned send."""
        return self.first_deliveries["latency_ms"].drop_nulls().sort()

    @cached_property
    def downtimes(self) -> pl.DataFrame:
        """One row for each connection lost against the device's will, as the check of reconnection counts:
        device, closed_ns, reason, lost_via, login_ns (null: not back), back_via, attempts; without devices
        that left on purpose before they were back."""
        phases = self.ledger.phases
        # A run that was cut short never settled; its losses count to the last row all the same.
        whole = replace(phases, settle_end_ns=phases.settle_end_ns or self._row_times[1])
        lost = losses(replace(self.ledger, phases=whole), grace_ns=0)
        left = pl.col("left_ns").is_not_null() & (
            pl.col("back_ns").is_null() | (pl.col("left_ns") < pl.col("back_ns"))
        )
        return (
            lost.filter(~left)
            .select(
                *("device", "attempts", "reason"),
                closed_ns="at_ns",
                login_ns="back_ns",
                lost_via=pl.col("via").cast(pl.String),
                back_via=pl.col("back_via").cast(pl.String),
            )
            .sort("closed_ns", "device")
        )

    @cached_property
    def failed_tries(self) -> int:
        """Tries to connect that failed."""
        return int(self.ledger.of("connect_failed").select(pl.len()).collect().item())

    @cached_property
    def ways_in(self) -> pl.DataFrame:
        """Logins by path, the most common first: via, len."""
        return (
            self.ledger.of("login")
            .select(via=pl.col("via").cast(pl.String).fill_null("unknown"))
            .group_by("via")
            .len()
            .collect(engine="streaming")
            .sort(["len", "via"], descending=[True, False])
        )

    def samples(self, role: str) -> pl.DataFrame:
        """Samples of the processes of a role, with `t` in whole seconds so that processes line up."""
        return (
            self.ledger.samples.filter((pl.col("role") == role) & pl.col("at_ns").is_not_null())
            .with_columns(t=self.seconds("at_ns").round(0))
            .unique(["process", "t"], keep="last")
            .sort("process", "t")
        )

    def totals(self, role: str, *columns: str) -> pl.DataFrame:
        """t and these columns of `samples`, added up over the processes of a role; a process that skipped
        up to three seconds keeps its last value, one that never reported a column adds nothing."""
        frame = self.samples(role)
        grid = frame.select("t").unique().join(frame.select("process").unique(), how="cross")
        return (
            grid.join(frame.select("process", "t", *columns), on=["process", "t"], how="left")
            .sort("process", "t")
            .with_columns(pl.col(*columns).forward_fill(limit=3).over("process"))
            .group_by("t")
            .agg(pl.col(*columns).sum())
            .sort("t")
        )
