"""Who was away on purpose, and when: waiting for a phone that is switched off is no server's latency."""

import polars as pl

from ledger.reader import Ledger

FOREVER = 2**63 - 1


def absences(ledger: Ledger) -> pl.DataFrame:
    """`device`, `from_ns`, `until_ns` of every absence that the plan wanted, by `from_ns`; one that was never
    ended lasts for ever."""
    moves = ledger.of("offline", "online").select("device", "at_ns", "event").collect(engine="streaming")
    ordered = moves.sort("at_ns", maintain_order=True)
    following = pl.col("at_ns").shift(-1).over("device").fill_null(FOREVER)
    return (
        ordered.with_columns(until_ns=following)
        .filter(pl.col("event") == "offline")
        .select("device", pl.col("at_ns").alias("from_ns"), "until_ns")
        .sort("from_ns")
    )


def with_away(rows: pl.DataFrame, away: pl.DataFrame, since: str, until: str = "at_ns") -> pl.DataFrame:
    """`rows` in their order with `away`: whether their `device` was absent at any time between `since` and
    `until` (columns of monotonic ns without nulls)."""
    if away.is_empty():
        return rows.with_columns(away=pl.lit(False))
    numbered = rows.with_row_index("number")
    suspects = (
        numbered.select("number", "device", since, until)
        .join(away.select("device").unique(), on="device", how="semi")
        .sort(until)
        .join_asof(away, left_on=until, right_on="from_ns", by="device", check_sortedness=False)
        .filter(pl.col("until_ns") >= pl.col(since))
        .select("number", away=pl.lit(True))
    )
    return (
        numbered.join(suspects, on="number", how="left", maintain_order="left")
        .with_columns(pl.col("away").fill_null(False))
        .drop("number")
    )
