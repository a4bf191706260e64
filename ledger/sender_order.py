"""Order where a server numbers nothing: what one device sent to a conversation is shown as it was sent."""

from dataclasses import dataclass

import polars as pl

from ledger.reader import Ledger
from ledger.roll_call import SENDER
from ledger.schema import FOREIGN


@dataclass(frozen=True, slots=True)
class SenderOrder:
    """`overtaken`: `device`, `conversation`, `message`, and the later one of the same sender (`previous`)
    that was shown there before. `conversations`: that had deliveries."""

    overtaken: pl.DataFrame
    conversations: int


def sender_order(ledger: Ledger) -> SenderOrder:
    """Looks at the first showing of each message on each device."""
    rows = ledger.of("delivered").filter(
        pl.col("message").is_not_null(),
        pl.col("conversation").is_not_null(),
        pl.col("code").fill_null(0) != FOREIGN,
    )
    found, parts = [], ledger.parts()
    for part in range(parts):
        shown = (
            rows.filter(pl.col("device") % parts == part)
            .select("at_ns", "device", "conversation", "message")
            .collect(engine="streaming")
            .sort("at_ns", maintain_order=True)
            .unique(["device", "message"], keep="first", maintain_order=True)
        )
        previous = pl.col("message").cum_max().shift().over("device", "conversation", SENDER)
        late = shown.with_columns(previous=previous).filter(pl.col("message") < pl.col("previous"))
        found.append(late.drop("at_ns"))
    conversations = rows.select(pl.col("conversation").n_unique()).collect(engine="streaming").item()
    return SenderOrder(pl.concat(found), conversations)
