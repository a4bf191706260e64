"""What can be counted of a run's messages without asking what became of each."""

from typing import Any

import polars as pl

from ledger.reader import Ledger
from ledger.roll_call import SENDER
from ledger.schema import FOREIGN


def traffic(ledger: Ledger) -> dict[str, Any]:
    """`sent`, `acked`, `rejected`: messages; `repeats_suppressed`: repeats that clients kept from the
    application, a device's own left out; `retransmitted_sends`: what clients put on the wire again;
    `retransmitted_pushes`: deliveries and repeats that were not the server's first attempt (both show that
    faults had an effect); `foreign`: deliveries of another run; `reached`: deliveries by how they came
    (`push` at the first try, `push_again` retransmitted, `pull`, `poll`)."""
    event, code = pl.col("event"), pl.col("code").fill_null(0)
    groups = (
        ledger.of("send", "retransmit", "delivered", "repeated")
        .select(
            "event",
            "via",
            foreign=code == FOREIGN,
            again=code > 1,
            own=(pl.col("device") == SENDER).fill_null(False),
        )
        .group_by(pl.all())
        .len()
        .collect(engine="streaming")
    )
    answers = ledger.of("acked", "rejected").group_by("event").agg(pl.col("message").n_unique())
    answered = dict(answers.collect(engine="streaming").iter_rows())
    shown = groups.filter(event == "delivered", ~pl.col("foreign"))
    push = (pl.col("via") == "push").fill_null(True)
    return {
        "sent": _total(groups.filter(event == "send")),
        "acked": answered.get("acked", 0),
        "rejected": answered.get("rejected", 0),
        "repeats_suppressed": _total(groups.filter(event == "repeated", ~pl.col("own"), ~pl.col("foreign"))),
        "retransmitted_sends": _total(groups.filter(event == "retransmit")),
        "retransmitted_pushes": _total(
            groups.filter(event.is_in(["delivered", "repeated"]), pl.col("again"))
        ),
        "foreign": _total(groups.filter(event == "delivered", pl.col("foreign"))),
        "reached": {
            "push": _total(shown.filter(push, ~pl.col("again"))),
            "push_again": _total(shown.filter(push, pl.col("again"))),
            "pull": _total(shown.filter(pl.col("via") == "pull")),
            "poll": _total(shown.filter(pl.col("via") == "poll")),
        },
    }


def _total(groups: pl.DataFrame) -> int:
    return int(groups["len"].sum())
