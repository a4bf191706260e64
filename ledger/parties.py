"""Who should see a conversation's messages."""

import polars as pl

from ledger.reader import Ledger


def parties(ledger: Ledger) -> pl.DataFrame:
    """`conversation`, `device`, `settled`: who should see a conversation's messages. Devices that were never
    logged in (and were never shown anything) are not expected to."""
    return parties_of(ledger, _devices_of(ledger, "login", "delivered"))


def parties_of(ledger: Ledger, present: pl.DataFrame) -> pl.DataFrame:
    """The same, for these devices (`device`)."""
    settled = _devices_of(ledger, "settled").with_columns(settled=pl.lit(True))
    devices = ledger.devices.select("device", "user").join(present, on="device", how="semi")
    return (
        ledger.members.unique()
        .join(devices, on="user")
        .join(settled, on="device", how="left")
        .select("conversation", "device", pl.col("settled").fill_null(False))
    )


def logged_in(ledger: Ledger) -> pl.DataFrame:
    """`device`, each once."""
    return _devices_of(ledger, "login")


def _devices_of(ledger: Ledger, *labels: str) -> pl.DataFrame:
    return ledger.of(*labels).select("device").unique().collect(engine="streaming")
