"""Order where a server numbers nothing: what one device sent to a conversation is shown as it was sent.

What is sent again comes when the connection is made again, behind what came at the first attempt; only among
themselves are first attempts in order, and what one connection repeats (MQTT 4.6).
"""

from dataclasses import dataclass

import polars as pl

from ledger.reader import Ledger
from ledger.roll_call import SENDER
from ledger.schema import FOREIGN


@dataclass(frozen=True, slots=True)
class SenderOrder:
    """`overtaken`: `device`, `conversation`, `message`, and the later one of the same sender (`previous`)
    that was shown there before. `conversations`: that had deliveries. `behind`: messages that were shown
    after a later one because their first attempt got lost."""

    overtaken: pl.DataFrame
    conversations: int
    behind: int


def sender_order(ledger: Ledger) -> SenderOrder:
    """Looks at the first showing of each message on each device."""
    rows = ledger.of("delivered", "login").select(
        "at_ns", "device", "conversation", "message", "event", code=pl.col("code").fill_null(0)
    )
    stream: list[str | pl.Expr] = ["device", "conversation", SENDER]
    found, behind, seen, parts = [], 0, pl.Series("conversation", [], pl.Int32), ledger.parts()
    for part in range(parts):
        happened = rows.filter(pl.col("device") % parts == part).collect(engine="streaming")
        shown = (
            happened.sort("at_ns", maintain_order=True)
            .with_columns(connection=(pl.col("event") == "login").cum_sum().over("device"))
            .filter(
                pl.col("event") == "delivered",
                pl.col("message").is_not_null() & pl.col("conversation").is_not_null(),
                pl.col("code") != FOREIGN,
            )
            .unique(["device", "message"], keep="first", maintain_order=True)
            .with_columns(connection=pl.when(pl.col("code") > 1).then("connection"))
        )
        late = _late(shown, [*stream, pl.col("connection")])
        found.append(late.select("device", "conversation", "message", "previous"))
        behind += _late(shown, stream).join(late, on=["device", "message"], how="anti").height
        seen = pl.concat([seen, shown["conversation"].unique()])
    return SenderOrder(pl.concat(found), seen.n_unique(), behind)


def _late(shown: pl.DataFrame, stream: list[str | pl.Expr]) -> pl.DataFrame:
    """Those that stand behind a later one of their stream."""
    previous = pl.col("message").cum_max().shift().over(*stream)
    return shown.with_columns(previous=previous).filter(pl.col("message") < pl.col("previous"))
