"""The roll call: what became of every message on every device that should have it.

Messages that the screening cleared are ok everywhere and left out. The others are looked at one by one, part
by part (messages by remainder), so that a ledger of any size needs the memory of one part.
"""

from collections.abc import Iterator
from enum import StrEnum

import polars as pl

from ledger.fault_windows import with_fault
from ledger.parties import parties as parties
from ledger.reader import Ledger
from ledger.schema import ALTERED, FOREIGN
from ledger.screening import screen


class Outcome(StrEnum):
    """What a message became on one device."""

    OK = "ok"  # acknowledged, delivered once
    LATE = "late"  # delivered only by a pull, or after the fault that covered its send was over
    RECOVERED = "recovered"  # never acknowledged, yet delivered once
    UNDETERMINED = "undetermined"  # not delivered, and nothing proves that it should have been
    LOST = "lost"  # acknowledged, never delivered, although the device settled
    DUPLICATED = "duplicated"  # shown more than once, or to the device that sent it
    ALTERED = "altered"  # delivered with another body, kind, sender or conversation
    UNEXPECTED = "unexpected"  # never sent or turned down, or shown to somebody who is no party


FAILURES = (Outcome.LOST, Outcome.ALTERED, Outcome.UNEXPECTED, Outcome.DUPLICATED)
"""Outcomes that fail a run, worst first."""

OUTCOMES = pl.Enum([outcome.value for outcome in Outcome])

SENDER = pl.col("message") // (1 << 32)


def cleared(ledger: Ledger) -> dict[int, int]:
    """How many pairs of message and device are ok without a closer look, by fault (-1: none)."""
    screened = ledger.once(screen)
    return screened.ok_by_fault if screened else {}


def _suspects(ledger: Ledger) -> tuple[pl.DataFrame | None, int]:
    """The messages to look at (`message`; None: all), and in how many parts."""
    screened = ledger.once(screen)
    if screened is None:
        return None, ledger.parts()
    messages = screened.messages.unique()
    return pl.DataFrame({"message": messages}), ledger.parts(min(1.0, screened.share))


def _of(rows: pl.LazyFrame, suspects: pl.DataFrame | None, part: int, parts: int) -> pl.LazyFrame:
    """The rows about suspect messages of this part."""
    if suspects is not None:
        rows = rows.join(suspects.lazy(), on="message", how="semi")
    return rows.filter(pl.col("message") % parts == part)


def sends(ledger: Ledger, suspects: pl.DataFrame | None, part: int, parts: int) -> pl.DataFrame:
    """One row a message that was sent: `message`, `conversation`, `sent_ns`, `acked_ns` (null if never),
    `rejected`, and the fault that was on at the send (`fault`, `fault_end_ns`)."""
    event = pl.col("event")
    times = (
        _of(ledger.of("send", "acked", "rejected"), suspects, part, parts)
        .select(
            "message",
            "conversation",
            sent_ns=pl.when(event == "send").then("at_ns"),
            acked_ns=pl.when(event == "acked").then("at_ns"),
            rejected=event == "rejected",
        )
        .group_by("message")
        .agg(
            pl.col("conversation").max(),
            pl.col("sent_ns", "acked_ns").min(),
            pl.col("rejected").max(),
        )
        .filter(pl.col("sent_ns").is_not_null())
        .collect(engine="streaming")
    )
    return with_fault(times, "sent_ns", ledger.faults)


def unreadable(ledger: Ledger) -> pl.DataFrame:
    """Altered deliveries that do not say which message they were, with `message` found by conversation and
    sequence among the acknowledged (null if nothing acknowledged has that place)."""
    nameless = ledger.of("delivered").filter(
        pl.col("message").is_null(), pl.col("code").fill_null(0) != FOREIGN
    )
    if ledger.once(screen) is not None:
        nameless = nameless.head(0)  # the screening gives up where there is one
    nameless_rows = nameless.drop("message").collect(engine="streaming")
    if nameless_rows.is_empty():
        return nameless_rows.with_columns(message=pl.lit(None, pl.Int64))
    places = nameless_rows.select("conversation", "sequence").unique().lazy()
    acked = (
        ledger.of("acked")
        .select("conversation", "sequence", "message")
        .join(places, on=["conversation", "sequence"], how="semi")
        .unique(["conversation", "sequence"])
        .collect(engine="streaming")
    )
    return nameless_rows.join(acked, on=["conversation", "sequence"], how="left")


def roll_call(ledger: Ledger) -> Iterator[pl.DataFrame]:
    """Part by part, of messages that are not cleared, one row a message and device: `message`, `device`,
    `expected`, `outcome`, `acked_ns`, `settled`, `fault` (on at the send), `late_ns` (from the end of that
    fault to the delivery, or 0)."""
    suspects, parts = _suspects(ledger)
    if suspects is not None and suspects.is_empty():
        return
    expecting = ledger.once(parties)
    nameless = ledger.once(unreadable).filter(pl.col("message").is_not_null())
    settled = expecting.filter("settled")["device"].unique()
    for part in range(parts):
        sent = sends(ledger, suspects, part, parts)
        stored = sent.filter(pl.col("acked_ns").is_not_null() | ~pl.col("rejected"))
        expected = (
            stored.lazy()
            .select("message", "conversation", "acked_ns", "fault", "fault_end_ns")
            .join(expecting.lazy(), on="conversation")
            .filter(pl.col("device") != SENDER)
            .with_columns(expected=pl.lit(True))
        )
        shown = _shown(ledger, nameless, suspects, part, parts)
        pairs = (
            expected.join(shown, on=["message", "device"], how="full", coalesce=True)
            .with_columns(
                pl.col("expected").fill_null(False),
                outcome=_outcome(),
                late_ns=(pl.col("first_ns") - pl.col("fault_end_ns")).clip(0),
            )
            .select("message", "device", "expected", "outcome", "acked_ns", "settled", "fault", "late_ns")
            .collect(engine="streaming")
        )
        surplus = pairs.filter(~pl.col("expected"))
        if surplus.is_empty():
            yield pairs
            continue
        yield pairs.filter("expected").vstack(_judged_surplus(surplus, stored, settled, bool(ledger.killed)))


def _shown(
    ledger: Ledger, nameless: pl.DataFrame, suspects: pl.DataFrame | None, part: int, parts: int
) -> pl.LazyFrame:
    """One row a message and device with what the application was shown."""
    columns = ("message", "device", "at_ns", "conversation", "via", "code")
    rows = ledger.of("delivered").filter(pl.col("code").fill_null(0) != FOREIGN)
    return (
        _of(pl.concat([rows.select(columns), nameless.lazy().select(columns)]), suspects, part, parts)
        .group_by("message", "device")
        .agg(
            times=pl.len(),
            first_ns=pl.col("at_ns").min(),
            otherwise=(pl.col("via") != "pull").fill_null(True).max(),
            altered=(pl.col("code") == ALTERED).fill_null(False).max(),
            lowest=pl.col("conversation").min(),
            highest=pl.col("conversation").max(),
        )
    )


def _outcome() -> pl.Expr:
    """The outcome of an expected message and device."""
    misplaced = (pl.col("lowest") != pl.col("conversation")) | (pl.col("highest") != pl.col("conversation"))
    acked = pl.col("acked_ns").is_not_null()
    late = ~pl.col("otherwise") | (pl.col("first_ns") > pl.col("fault_end_ns"))
    return _first_that_applies(
        (pl.col("altered") | misplaced, Outcome.ALTERED),
        (pl.col("times") > 1, Outcome.DUPLICATED),
        (pl.col("times").is_null() & acked & pl.col("settled"), Outcome.LOST),
        (pl.col("times").is_null(), Outcome.UNDETERMINED),
        (~acked, Outcome.RECOVERED),
        (late, Outcome.LATE),
        (pl.lit(True), Outcome.OK),
    )


def _judged_surplus(
    surplus: pl.DataFrame, stored: pl.DataFrame, settled: pl.Series, killed: bool
) -> pl.DataFrame:
    """Deliveries that nobody expected, with their outcome."""
    known = pl.col("message").is_in(stored["message"].implode())
    # A process that was killed did not write down its last sends: nothing can be said about those.
    unwritten = ~known & ~SENDER.is_in(settled.implode()) if killed else pl.lit(False)
    return surplus.with_columns(
        outcome=_first_that_applies(
            (unwritten, Outcome.UNDETERMINED),
            (known & (pl.col("device") == SENDER), Outcome.DUPLICATED),
            (pl.lit(True), Outcome.UNEXPECTED),
        )
    )


def _first_that_applies(*cases: tuple[pl.Expr, Outcome]) -> pl.Expr:
    literals = [(condition.fill_null(False), pl.lit(outcome.value, OUTCOMES)) for condition, outcome in cases]
    expression = literals[-1][1]
    for condition, literal in reversed(literals[:-1]):
        expression = pl.when(condition).then(literal).otherwise(expression)
    return expression
