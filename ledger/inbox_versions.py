"""Completeness by version: an inbox grows by exactly one, so a device that has all of it has no hole."""

from dataclasses import dataclass

import polars as pl

from ledger.inbox_edges import inbox_edges
from ledger.reader import Ledger
from ledger.screening import screen


@dataclass(frozen=True, slots=True)
class InboxVersions:
    """What the versions that each device saw say about its inbox."""

    holes: int
    """Versions that a settled device never saw."""
    reused: int
    """Versions under which one device saw two messages."""
    hole_examples: tuple[tuple[int, int, int], ...]
    """(device, first missing, last missing)"""
    reuse_examples: tuple[tuple[int, int], ...]
    """(device, version)"""


def inbox_versions(ledger: Ledger, most: int) -> InboxVersions:
    """Looks at every device that settled; `most` examples of each kind."""
    edges = ledger.once(inbox_edges)
    screened = ledger.once(screen)
    if screened:
        if screened.inboxes.is_empty():
            return InboxVersions(0, 0, (), ())
        edges = edges.filter(pl.col("device").is_in(screened.inboxes.implode()))
    holes, reuses = [], []
    parts = ledger.parts()
    for part in range(parts):
        seen = _seen(ledger, screened.inboxes if screened else None, part, parts)
        of_part = edges.filter(pl.col("device") % parts == part)
        suspects = _suspects(seen, of_part)
        suspected = seen.join(suspects, on="device", how="semi").sort("device", "version")
        holes.append(_holes(suspected, of_part.join(suspects, on="device", how="semi")))
        reuses.append(_reuses(suspected))
    all_holes, all_reuses = pl.concat(holes), pl.concat(reuses)
    return InboxVersions(
        holes=int(all_holes.select(pl.col("last") - pl.col("first") + 1).sum().item()),
        reused=all_reuses.height,
        hole_examples=tuple(all_holes.sort("first", "device").head(most).iter_rows()),
        reuse_examples=tuple(all_reuses.sort("version", "device").head(most).iter_rows()),
    )


def _seen(ledger: Ledger, only: pl.Series | None, part: int, parts: int) -> pl.DataFrame:
    """`device`, `version`, `message`, `own` (known from an acknowledgement only) of these devices, or all."""
    rows = ledger.of("delivered", "repeated", "acked").filter(
        pl.col("version").is_not_null(), pl.col("device") % parts == part
    )
    if only is not None:
        rows = rows.filter(pl.col("device").is_in(only.implode()))
    return rows.select("device", "version", "message", own=pl.col("event") == "acked").collect(
        engine="streaming"
    )


def _suspects(seen: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """The devices worth a closer look: any version skipped or seen twice, or not all from base to end."""
    version = pl.col("version")
    screened = seen.group_by("device").agg(
        widest=version.sort().diff().max(),
        narrowest=version.filter(~pl.col("own")).sort().diff().min(),
        lowest=version.min(),
        highest=version.max(),
    )
    whole = (
        (pl.col("widest").fill_null(1) <= 1)
        & (pl.col("narrowest").fill_null(1) > 0)
        & (pl.col("highest") >= pl.col("version")).fill_null(True)
        & (pl.col("lowest") <= pl.col("login_version") + 1).fill_null(True)
    )
    unseen = pl.col("lowest").is_null()
    return (
        screened.join(edges, on="device", how="full", coalesce=True).filter(~whole | unseen).select("device")
    )


def _holes(seen: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """`device`, `first`, `last` of each range of versions that is missing."""
    same = pl.col("device") == pl.col("device").shift()
    inside = seen.select("device", "version", before=pl.when(same).then(pl.col("version").shift()))
    within = inside.filter(pl.col("version") > pl.col("before") + 1).select(
        "device", first=pl.col("before") + 1, last=pl.col("version") - 1
    )
    lowest_and_highest = seen.group_by("device").agg(
        lowest=pl.col("version").min(), highest=pl.col("version").max()
    )
    ends = edges.join(lowest_and_highest, on="device", how="left")
    # What was in the inbox before the first login may have been left alone; what came after may not.
    base = pl.min_horizontal("login_version", pl.col("lowest") - 1)
    below = ends.select("device", first=base + 1, last=pl.col("lowest") - 1)
    above = ends.select("device", first=pl.coalesce("highest", base) + 1, last=pl.col("version"))
    settled_at = edges.select("device", "version")
    return (
        pl.concat([within, below, above])
        .join(settled_at, on="device")
        .select("device", "first", last=pl.min_horizontal("last", "version"))
        .filter(pl.col("first") <= pl.col("last"))
    )


def _reuses(seen: pl.DataFrame) -> pl.DataFrame:
    """`device`, `version` under which the device saw two messages.

    Acknowledgements are left out: those of a package's items all carry the version of the last.
    """
    shown = seen.filter(~pl.col("own"), pl.col("message").is_not_null())
    again = (pl.col("device") == pl.col("device").shift()) & (pl.col("version") == pl.col("version").shift())
    return (
        shown.with_columns(other=pl.when(again).then(pl.col("message").shift()))
        .filter(pl.col("message") != pl.col("other"))
        .select("device", "version")
        .unique()
    )
