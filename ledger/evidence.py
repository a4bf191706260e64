"""Rows and names as a person reads them: what witnesses are made of."""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from ledger.reader import Ledger
from ledger.result import Witness

MOST_ROWS = 24
"""Rows of one witness; a group of a thousand devices proves nothing more than its first dozen."""


def device_names(ledger: Ledger, devices: Iterable[int]) -> dict[int, str]:
    """`user/device` by device index."""
    wanted = ledger.devices.filter(pl.col("device").is_in(list(devices)))
    return {row["device"]: f"{row['user_id']}/{row['device_id']}" for row in wanted.to_dicts()}


def conversation_names(ledger: Ledger, conversations: Iterable[int]) -> dict[int, str]:
    """Wire name by conversation index."""
    wanted = ledger.conversations.filter(pl.col("conversation").is_in(list(conversations)))
    return dict(wanted.select("conversation", "name").iter_rows())


def printable(ledger: Ledger, rows: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    """Rows as dicts: seconds since the start, names for indexes, columns without a value left out."""
    first = rows.head(MOST_ROWS).to_dicts()
    devices = device_names(ledger, {row["device"] for row in first})
    conversations = conversation_names(
        ledger, {row["conversation"] for row in first if row["conversation"] is not None}
    )
    return tuple(_printable(row, ledger.phases.start_ns, devices, conversations) for row in first)


def _printable(
    row: dict[str, Any], start_ns: int, devices: dict[int, str], conversations: dict[int, str]
) -> dict[str, Any]:
    shown: dict[str, Any] = {"at_s": round((row["at_ns"] - start_ns) / 1e9, 6), "event": row["event"]}
    shown["device"] = devices.get(row["device"], row["device"])
    if row["message"] is not None:
        shown["n"] = row["message"] & 0xFFFFFFFF
    if row["conversation"] is not None:
        shown["conversation"] = conversations.get(row["conversation"], row["conversation"])
    shown |= {name: row[name] for name in ("sequence", "version", "via", "code") if row[name] is not None}
    return shown


def rows_of_messages(ledger: Ledger, messages: Sequence[int]) -> dict[int, pl.DataFrame]:
    """All rows that are about each of these (few) messages, in order of time; also deliveries that could not
    be read but stand where the message was acknowledged to be."""
    places = (
        ledger.of("acked")
        .filter(pl.col("message").is_in(list(messages)), pl.col("sequence").is_not_null())
        .select("conversation", "sequence", meant="message")
        .unique()
        .collect(engine="streaming")
    )
    found = ledger.rows.filter(pl.col("message").is_in(list(messages))).with_columns(meant="message")
    nameless = ledger.of("delivered").filter(pl.col("message").is_null())
    at_place = nameless.join(places.lazy(), on=["conversation", "sequence"])
    rows = pl.concat([found, at_place]).collect(engine="streaming").sort("at_ns", maintain_order=True)
    return {message: rows.filter(pl.col("meant") == message).drop("meant") for message in messages}


def message_name(ledger: Ledger, message: int, rows: pl.DataFrame) -> str:
    """`message 7 of anna/phone in a:b (sequence 5, version 9)` as far as `rows` tell."""
    sender = message >> 32
    name = device_names(ledger, [sender]).get(sender, f"device {sender}")
    conversation = next(iter(rows["conversation"].drop_nulls()), None)
    named = conversation_names(ledger, [] if conversation is None else [conversation])
    place = f" in {named.get(conversation, conversation)}" if conversation is not None else ""
    known = [
        f"{column} {values[0]}"
        for column in ("sequence", "version")
        if (values := rows[column].drop_nulls().to_list())
    ]
    return f"message {message & 0xFFFFFFFF} of {name}{place}" + (f" ({', '.join(known)})" if known else "")


def message_witnesses(ledger: Ledger, charges: Sequence[tuple[int, str]]) -> tuple[Witness, ...]:
    """A witness for each (message, what is wrong with it), in the given order."""
    rows = rows_of_messages(ledger, sorted({message for message, _ in charges}))
    return tuple(
        Witness(f"{message_name(ledger, message, rows[message])}: {charge}", printable(ledger, rows[message]))
        for message, charge in charges
    )


def named_devices(ledger: Ledger, devices: Sequence[int], most: int = 5) -> str:
    """`anna/phone, bo/laptop and 3 more`."""
    names = device_names(ledger, devices[:most])
    listed = ", ".join(names.get(device, f"device {device}") for device in devices[:most])
    more = len(devices) - most
    return f"{listed} and {more} more" if more > 0 else listed
