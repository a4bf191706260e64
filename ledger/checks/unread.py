"""At the settled end the server's unread counts equal those that the ledger implies."""

from typing import Any

import polars as pl

from ledger.checks import Options, register
from ledger.evidence import conversation_names, named_devices, printable
from ledger.messages import acknowledgements
from ledger.promised import lacks, not_offered
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Result, Verdict, Witness, nothing
from ledger.roll_call import SENDER
from ledger.schema import FOREIGN
from ledger.screening import screen

PLACE = ["user", "conversation"]
FIGURES = ("compared", "wrong", "totals", "wrong_totals", "not_judged")


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: `compared` counts of a device and conversation; `wrong` of them; `totals` compared with the
    sum of their device's counts; `wrong_totals`; `not_judged`: counts where messages of another run lie.

    Expected are the messages of other users, acknowledged or delivered, above what the user has read; those
    that were neither may have been counted or not. A conversation that a device leaves out counts as 0.
    """
    reported = _reported(ledger)
    if reported.is_empty():
        reason = "no device reported its unread counts"
        if lacks(ledger, "unread"):
            reason = not_offered(ledger, "unread counts")
        return nothing(reason, dict.fromkeys(FIGURES, 0))
    compared = reported.join(_expected(ledger), on=PLACE, how="left").with_columns(
        pl.col("expected", "possible").fill_null(0)
    )
    judged = compared.join(_foreign(ledger), on="conversation", how="anti")
    fits = pl.col("reported").is_between(pl.col("expected"), pl.col("expected") + pl.col("possible"))
    wrong = judged.filter(~fits)
    totals = _totals(ledger, compared)
    wrong_totals = totals.filter(pl.col("total") != pl.col("sum"))
    not_judged = compared.height - judged.height
    counted = (judged.height, wrong.height, totals.height, wrong_totals.height, not_judged)
    figures = dict(zip(FIGURES, counted, strict=True))
    if wrong.is_empty() and wrong_totals.is_empty():
        return Result(Verdict.PASS, figures)
    witnesses = [*_of_counts(ledger, wrong), *_of_totals(ledger, wrong_totals)]
    reason = f"{wrong.height} counts and {wrong_totals.height} totals differ"
    return Result(Verdict.FAIL, figures, tuple(witnesses[:MOST_WITNESSES]), reason)


def _reported(ledger: Ledger) -> pl.DataFrame:
    """`device`, `user`, `conversation`, `reported` for every conversation of each device that reported."""
    rows = _said(ledger).rename({"sequence": "reported"})
    devices = ledger.devices.select("device", "user").join(rows, on="device", how="semi")
    counts = rows.filter(pl.col("conversation").is_not_null()).unique(
        ["device", "conversation"], keep="last", maintain_order=True
    )
    own = devices.join(ledger.members.unique(), on="user").select("device", "conversation")
    either = pl.concat([own, counts.select("device", "conversation")]).unique()
    return (
        either.join(counts, on=["device", "conversation"], how="left")
        .join(devices, on="device")
        .with_columns(pl.col("reported").fill_null(0))
    )


def _said(ledger: Ledger) -> pl.DataFrame:
    """`device`, `conversation`, `sequence` of all that was reported, the latest last; the larger of two that
    were said at once, so that the same ledger is always judged alike."""
    rows = ledger.of("unread").select("at_ns", "device", "conversation", "sequence")
    return rows.collect(engine="streaming").sort("at_ns", "sequence").drop("at_ns")


def _expected(ledger: Ledger) -> pl.DataFrame:
    """`user`, `conversation`, `expected` unread messages, and how many more are `possible`."""
    parts = ledger.parts()
    counts = [_unread(ledger, part, parts).group_by(PLACE).agg(*_counted()) for part in range(parts)]
    collected = [count.collect(engine="streaming") for count in counts]
    return pl.concat(collected).group_by(PLACE).agg(pl.col("expected", "possible").sum())


def _counted() -> tuple[pl.Expr, pl.Expr]:
    placed = pl.col("sequence").is_not_null()
    return placed.sum().cast(pl.Int64).alias("expected"), (~placed).sum().cast(pl.Int64).alias("possible")


def _unread(ledger: Ledger, part: int, parts: int) -> pl.LazyFrame:
    """`user`, `conversation`, `message`, `sequence`: what others sent and the user has not read; the sequence
    is null where nothing says that the server has the message."""
    reads = ledger.of("read").join(ledger.devices.lazy(), on="device")
    read = reads.group_by(PLACE).agg(read=pl.col("sequence").max())
    readers = ledger.members.unique().lazy().join(read, on=PLACE, how="left")
    sent = _sent(ledger, part, parts, readers)
    above = pl.col("sequence").is_null() | (pl.col("sequence") > pl.col("read").fill_null(0))
    return sent.join(readers, on="conversation").filter(pl.col("user") != pl.col("sender_user"), above)


def _sent(ledger: Ledger, part: int, parts: int, readers: pl.LazyFrame) -> pl.LazyFrame:
    """`message`, `conversation`, `sequence`, `sender_user` of all but messages that were turned down, and
    that all have read."""
    place = ("message", "conversation", "sequence")
    in_part = pl.col("message") % parts == part

    def of(*labels: str) -> pl.LazyFrame:
        return ledger.of(*labels).filter(in_part)

    read_by_all = readers.group_by("conversation").agg(pl.col("read").fill_null(0).min())
    above = pl.col("sequence").is_null() | (pl.col("sequence") > pl.col("read"))
    acked = ledger.once(acknowledgements).lazy().filter(in_part).select(place)
    answered = acked.join(read_by_all, on="conversation").filter(above).group_by("message")
    known = [answered.agg(pl.col("conversation").min(), pl.col("sequence").min()).select(place)]
    sends, screened = of("send"), ledger.once(screen)
    if screened:
        # A message without an answer is never cleared.
        suspects = screened.messages.to_frame("message").lazy()
        sends = sends.join(suspects, on="message", how="semi") if len(screened.messages) else sends.head(0)
    unanswered = sends.join(of("acked", "rejected"), on="message", how="anti").select(place)
    doubtful = unanswered.collect(engine="streaming")
    if doubtful.height:
        # Only of these do the deliveries have to say whether and where the server has them.
        shown = of("delivered").filter(pl.col("code").fill_null(0) != FOREIGN)
        seen = shown.join(doubtful.lazy(), on="message", how="semi").group_by("message")
        places = seen.agg(seen=pl.col("sequence").max())
        placed = doubtful.lazy().join(places, on="message", how="left").with_columns(sequence="seen")
        known.append(placed.select(place))
    senders = ledger.devices.lazy().select(sender=pl.col("device").cast(pl.Int64), sender_user="user")
    return (
        pl.concat(known).with_columns(sender=SENDER).join(senders, on="sender").select(*place, "sender_user")
    )


def _foreign(ledger: Ledger) -> pl.DataFrame:
    """Conversations that hold messages of another run, which nobody here has counted."""
    rows = ledger.of("delivered", "repeated").filter(pl.col("code") == FOREIGN)
    screened = ledger.once(screen)
    if screened and not screened.foreign:
        rows = rows.head(0)
    return rows.select("conversation").unique().collect(engine="streaming")


def _totals(ledger: Ledger, reported: pl.DataFrame) -> pl.DataFrame:
    """`device`, `total` as reported, `sum` of its counts."""
    rows = _said(ledger).filter(pl.col("conversation").is_null())
    totals = rows.select("device", total="sequence").unique("device", keep="last", maintain_order=True)
    sums = reported.group_by("device").agg(sum=pl.col("reported").sum())
    return totals.join(sums, on="device", how="left").with_columns(pl.col("sum").fill_null(0))


def _of_counts(ledger: Ledger, wrong: pl.DataFrame) -> list[Witness]:
    difference = (pl.col("reported") - pl.col("expected")).abs()
    worst = wrong.sort(difference, "conversation", "device", descending=[True, False, False])
    return [_of_count(ledger, row) for row in worst.head(MOST_WITNESSES).to_dicts()]


def _of_count(ledger: Ledger, row: dict[str, Any]) -> Witness:
    """Names the messages that should count, and shows them with what the user has read and was told."""
    user, conversation = row["user"], row["conversation"]
    here = (pl.col("user") == user) & (pl.col("conversation") == conversation)
    unread = _unread(ledger, 0, 1).filter(here).select("message", "sequence").collect(engine="streaming")
    messages = unread.sort("sequence")["message"].to_list()
    devices = ledger.devices.filter(pl.col("user") == user)["device"].to_list()
    of_user = pl.col("device").is_in(devices) & (pl.col("conversation") == conversation)
    told = ledger.of("read", "unread").filter(of_user)
    sends = ledger.of("send", "acked").filter(pl.col("message").is_in(messages[:MOST_WITNESSES]))
    rows = pl.concat([told, sends]).collect(engine="streaming").sort("at_ns", maintain_order=True)
    name = conversation_names(ledger, [conversation]).get(conversation, conversation)
    listed = ", ".join(_message(ledger, *one) for one in unread.sort("sequence").head(4).iter_rows())
    more = f" and {len(messages) - 4} more" if len(messages) > 4 else ""
    return Witness(
        f"{named_devices(ledger, [row['device']])} was told {row['reported']} unread in {name}, "
        f"expected {row['expected']}" + (f": {listed}{more}" if listed else ""),
        printable(ledger, rows),
    )


def _message(ledger: Ledger, message: int, sequence: int | None) -> str:
    place = f"sequence {sequence}" if sequence is not None else "perhaps stored"
    return f"message {message & 0xFFFFFFFF} of {named_devices(ledger, [message >> 32])} ({place})"


def _of_totals(ledger: Ledger, wrong: pl.DataFrame) -> list[Witness]:
    witnesses = []
    for row in wrong.sort("device").head(MOST_WITNESSES).to_dicts():
        rows = ledger.of("unread").filter(pl.col("device") == row["device"]).collect(engine="streaming")
        told = f"{named_devices(ledger, [row['device']])} was told {row['total']} unread in all"
        witnesses.append(Witness(f"{told}, its counts sum to {row['sum']}", printable(ledger, rows)))
    return witnesses
