"""How connections came and went, device by device: what the checks of heartbeat and reconnection look at."""

import polars as pl

from ledger.fault_windows import with_fault
from ledger.reader import Ledger
from ledger.schema import CloseReason

ON_PURPOSE = (CloseReason.BYE, CloseReason.LEFT, CloseReason.REPLACED, CloseReason.REFUSED)
"""Reasons after which nobody is expected to come back by himself."""


def losses(ledger: Ledger, grace_ns: int) -> pl.DataFrame:
    """One row a connection that was logged in and ended by no wish of its device, before the run had settled:
    `device`, `at_ns`, `reason`, `via`; `told` (GO_AWAY came before); the next login's `back_ns`, `back_via`,
    `attempts` (null if none); `left_ns` if the device then left on purpose; and the `fault` that was on, up
    to `grace_ns` after its end."""
    event = pl.col("event").cast(pl.String)
    history = (
        ledger.of("login", "closed", "gone_away", "offline", "online")
        .select("at_ns", "device", "via", "code", event=event)
        .collect(engine="streaming")
        .sort("device", "at_ns", maintain_order=True)
    )

    def last(column: str | pl.Expr, when: pl.Expr) -> pl.Expr:
        return pl.when(when).then(column).forward_fill().shift().over("device")

    def following(column: str | pl.Expr, when: pl.Expr) -> pl.Expr:
        return pl.when(when).then(column).backward_fill().shift(-1).over("device")

    login, ends = event == "login", event.is_in(["login", "closed"])
    told, purpose = event.is_in(["login", "gone_away"]), event.is_in(["offline", "online"])
    seen = history.with_columns(
        was_logged_in=last(event, ends) == "login",
        told=last(event, told) == "gone_away",
        away=(last(event, purpose) == "offline").fill_null(False),
        back_ns=following("at_ns", login),
        back_via=following("via", login),
        attempts=following("code", login),
        left_ns=following("at_ns", event == "offline"),
    )
    wished = pl.col("code").is_in([int(reason) for reason in ON_PURPOSE])
    lost = seen.filter(
        event == "closed",
        pl.col("was_logged_in") & ~pl.col("away") & ~wished.fill_null(False),
        pl.col("at_ns") <= ledger.phases.settle_end_ns,
    )
    columns = ("device", "at_ns", "via", "told", "back_ns", "back_via", "attempts", "left_ns")
    return with_fault(lost.select(*columns, reason="code"), "at_ns", ledger.faults, grace_ns)


def connection_rows(ledger: Ledger, device: int) -> pl.DataFrame:
    """A device's rows about its connections, in order."""
    rows = ledger.of("login", "connect_failed", "closed", "refused", "gone_away", "offline", "online")
    return (
        rows.filter(pl.col("device") == device).collect(engine="streaming").sort("at_ns", maintain_order=True)
    )
