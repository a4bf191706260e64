"""In a conversation all devices show the same order, by sequence, and each sender's own order is kept."""

from collections.abc import Iterable, Iterator

import polars as pl

from ledger.checks import Options, register
from ledger.evidence import conversation_names, message_witnesses, named_devices, printable
from ledger.promised import lacks
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Result, Verdict, Witness, nothing
from ledger.roll_call import SENDER
from ledger.schema import FOREIGN
from ledger.screening import screen
from ledger.sender_order import sender_order


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: `conversations` that had deliveries; `out_of_order`: deliveries whose sequence does not exceed
    the one shown before in the conversation; `version_steps_back`: the same of the device's inbox versions;
    `disagreements`: sequences that name two messages; `own_order_broken`: messages placed before one that
    their device had sent earlier; `packages_torn`: packages whose messages were not placed side by side and
    in their order (ORD.4); `violations`: all of these.

    A message shown twice is no violation here (completeness counts it). Unknown if nothing with a sequence or
    version was delivered. Where the protocol has neither, order is judged `by` each sender's own: then
    `out_of_order` are messages shown after a later one of the same device, and the rest is 0; without those
    that came `behind` because their first attempt got lost, where nobody promises more.
    """
    if lacks(ledger, "versions"):
        return _by_sender(ledger)
    backwards, steps_back = _timelines(ledger)
    disagreements, overtaken, conversations = _places(ledger)
    torn = _torn(ledger)
    figures = {
        "conversations": conversations,
        "out_of_order": backwards.height,
        "version_steps_back": steps_back.height,
        "disagreements": disagreements.height,
        "own_order_broken": overtaken.height,
        "packages_torn": torn.height,
        "violations": sum(frame.height for frame in (backwards, steps_back, disagreements, overtaken, torn)),
        "by": "sequence",
    }
    if not conversations:
        return nothing("nothing with a sequence was delivered", figures)
    if not figures["violations"]:
        return Result(Verdict.PASS, figures)
    witnesses = [
        *_of_disagreements(ledger, disagreements),
        *_of_steps(ledger, backwards, "sequence"),
        *_of_overtaken(ledger, overtaken),
        *_of_torn(ledger, torn),
        *_of_steps(ledger, steps_back, "version"),
    ]
    reason = f"{figures['violations']} violations"
    return Result(Verdict.FAIL, figures, tuple(witnesses[:MOST_WITNESSES]), reason)


def _by_sender(ledger: Ledger) -> Result:
    found = sender_order(ledger)
    broken = found.overtaken.height
    figures = {
        "conversations": found.conversations,
        "out_of_order": broken,
        **dict.fromkeys(("version_steps_back", "disagreements", "own_order_broken", "packages_torn"), 0),
        "violations": broken,
        "behind": found.behind,
        "by": "sender",
    }
    if not found.conversations:
        return nothing("nothing was delivered", figures)
    if not broken:
        return Result(Verdict.PASS, figures)
    worst = found.overtaken.sort("message", "device").head(MOST_WITNESSES)
    charges = [
        (
            row["message"],
            f"shown on {named_devices(ledger, [row['device']])} after message "
            f"{row['previous'] & 0xFFFFFFFF}, which its device sent later",
        )
        for row in worst.to_dicts()
    ]
    return Result(Verdict.FAIL, figures, message_witnesses(ledger, charges), f"{broken} violations")


def _timelines(ledger: Ledger) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Deliveries that step back in their conversation, and those that step back in their inbox."""
    found = [
        (
            _steps_back(shown, ["device", "conversation"], "sequence"),
            _steps_back(shown, ["device"], "version"),
        )
        for shown in _deliveries(ledger)
    ]
    return pl.concat([pair[0] for pair in found]), pl.concat([pair[1] for pair in found])


def _deliveries(ledger: Ledger) -> Iterator[pl.DataFrame]:
    """What applications were shown, each device's in its order, a part of the devices at a time; without
    devices whose order is known to be right."""
    rows, parts = ledger.of("delivered").filter(pl.col("code").fill_null(0) != FOREIGN), ledger.parts()
    screened = ledger.once(screen)
    if screened:
        suspect = pl.col("device").is_in(screened.timelines.implode())
        rows = rows.filter(suspect) if len(screened.timelines) else rows.head(0)
    for part in range(parts):
        shown = (
            rows.filter(pl.col("device") % parts == part)
            .select("at_ns", "device", "conversation", "sequence", "version")
            .collect(engine="streaming")
        )
        # A device that lived in two processes has rows in two files; only then does the order need making.
        backwards = shown.group_by("device").agg(pl.col("at_ns").diff().min())["at_ns"].min()
        yield shown.sort("at_ns", maintain_order=True) if (backwards or 0) < 0 else shown  # type: ignore[operator]


def _steps_back(shown: pl.DataFrame, keys: list[str], number: str) -> pl.DataFrame:
    """The deliveries of `shown` whose `number` is below one shown before in their group, with the highest
    such as `previous`; the second showing of a number is left out."""
    numbered = shown.filter(pl.col(number).is_not_null())
    screened = numbered.group_by(keys).agg(pl.col(number).diff().min())
    suspects = screened.filter(pl.col(number) <= 0).select(keys)
    once = numbered.join(suspects, on=keys, how="semi", maintain_order="left").unique(
        [*keys, number], keep="first", maintain_order=True
    )
    previous = pl.col(number).cum_max().shift().over(keys)
    return once.with_columns(previous=previous).filter(pl.col(number) < pl.col("previous"))


def _places(ledger: Ledger) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Sequences that name two messages; messages that overtook their sender's earlier one; conversations."""
    rows = ledger.of("delivered", "acked").filter(
        pl.col("message").is_not_null(),
        pl.col("sequence").is_not_null(),
        (pl.col("event") == "acked") | (pl.col("code").fill_null(0) != FOREIGN),
    )
    parts, screened = ledger.parts(), ledger.once(screen)
    if screened:
        suspect = pl.col("conversation").is_in(screened.places.implode())
        rows = rows.filter(suspect) if len(screened.places) else rows.head(0)
    disagreements, overtaken, conversations = [], [], 0
    for part in range(parts):
        places = (
            rows.filter(pl.col("conversation") % parts == part)
            .group_by("conversation", "sequence")
            .agg(message=pl.col("message").min(), other=pl.col("message").max())
            .collect(engine="streaming")
        )
        conversations += places["conversation"].n_unique()
        disagreements.append(places.filter(pl.col("message") != pl.col("other")))
        own = places.sort("conversation", "message", "sequence")
        same = (pl.col("conversation") == pl.col("conversation").shift()) & (SENDER.shift() == SENDER)
        earlier = own.with_columns(
            other=pl.when(same).then(pl.col("message").shift()),
            previous=pl.when(same).then(pl.col("sequence").shift()),
        )
        overtaken.append(earlier.filter(pl.col("sequence") < pl.col("previous")))
    if screened:
        conversations = screened.conversations
    return pl.concat(disagreements), pl.concat(overtaken), conversations


def _torn(ledger: Ledger) -> pl.DataFrame:
    """Packages by their first message; `places`: the sequences that their messages got, in their order.

    All devices agree on what a sequence names, or that is a violation of its own, so what the sender was told
    stands for what everybody was shown.
    """
    sent = ledger.of("send").filter(pl.col("code").is_not_null()).select("message", place="code")
    placed = ledger.of("acked").filter(pl.col("sequence").is_not_null()).select("message", "sequence")
    return (
        sent.join(placed, on="message")
        .group_by(first=pl.col("message") - pl.col("place"))
        .agg(
            places=pl.col("sequence").sort_by("message"),
            offsets=(pl.col("sequence") - pl.col("place")).n_unique(),
        )
        .filter(pl.col("offsets") > 1)
        .sort("first")
        .collect(engine="streaming")
    )


def _of_torn(ledger: Ledger, torn: pl.DataFrame) -> Iterable[Witness]:
    return message_witnesses(
        ledger,
        [
            (row["first"], f"begins a package whose messages were placed at {row['places']}")
            for row in torn.head(MOST_WITNESSES).to_dicts()
        ],
    )


def _of_steps(ledger: Ledger, steps: pl.DataFrame, number: str) -> Iterator[Witness]:
    """One a conversation or device, those that step back furthest first."""
    key = "conversation" if number == "sequence" else "device"
    step = pl.col(number) - pl.col("previous")
    furthest = steps.sort(step, "device", number).unique(key, keep="first", maintain_order=True)
    for row in furthest.head(MOST_WITNESSES).to_dicts():
        where = named_devices(ledger, [row["device"]])
        if number == "sequence":
            where += f" in {_conversation(ledger, row['conversation'])}"
        text = f"{where}: {number} {row[number]} was shown after {row['previous']}"
        yield Witness(text, _around(ledger, row, number))


def _around(ledger: Ledger, row: dict[str, int], number: str) -> tuple[dict[str, object], ...]:
    """What the device was shown between the two that are out of order."""
    between = pl.col(number).is_between(row[number], row["previous"])
    beside = ledger.of("delivered").filter(pl.col("device") == row["device"], between)
    if number == "sequence":
        beside = beside.filter(pl.col("conversation") == row["conversation"])
    return printable(ledger, beside.collect(engine="streaming").sort("at_ns", maintain_order=True))


def _of_disagreements(ledger: Ledger, places: pl.DataFrame) -> Iterable[Witness]:
    for row in places.sort("conversation", "sequence").head(MOST_WITNESSES).to_dicts():
        here = (pl.col("conversation") == row["conversation"]) & (pl.col("sequence") == row["sequence"])
        rows = ledger.of("delivered", "acked", "repeated").filter(here).collect(engine="streaming")
        place = f"sequence {row['sequence']} of {_conversation(ledger, row['conversation'])}"
        yield Witness(f"{place} names two messages", printable(ledger, rows))


def _of_overtaken(ledger: Ledger, overtaken: pl.DataFrame) -> Iterable[Witness]:
    worst = overtaken.sort(pl.col("sequence") - pl.col("previous"), "message").head(MOST_WITNESSES)
    return message_witnesses(
        ledger,
        [
            (
                row["message"],
                f"placed before message {row['other'] & 0xFFFFFFFF}, which its device sent earlier",
            )
            for row in worst.to_dicts()
        ],
    )


def _conversation(ledger: Ledger, conversation: int) -> str:
    return str(conversation_names(ledger, [conversation]).get(conversation, conversation))
