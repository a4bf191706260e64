"""Where each settled device's inbox begins and ends."""

import polars as pl

from ledger.reader import Ledger


def inbox_edges(ledger: Ledger) -> pl.DataFrame:
    """`device`, `version` it settled at, `login_version`: the newest when it first logged in."""
    settled = ledger.of("settled").filter(pl.col("version").is_not_null())
    logins = ledger.of("login").filter(pl.col("version").is_not_null())
    return (
        settled.group_by("device")
        .agg(pl.col("version").max())
        .join(
            logins.group_by("device").agg(login_version=pl.col("version").sort_by("at_ns").first()),
            on="device",
            how="left",
        )
        .collect()
    )
