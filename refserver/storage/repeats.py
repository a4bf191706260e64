"""What a stored send was answered with, so that a repeat of it gets exactly that again (rule 2)."""

from collections.abc import Iterable

import msgspec

from protocol.messages import Message, PackageSent, Placed, Sent

SendKey = tuple[str, str, str]
"""(sender, device, cid)"""


class StoredSend(msgspec.Struct, array_like=True, frozen=True):
    """One stored item of a send. `item`: 0 when sent alone, else its place in the package, from 1."""

    sender: str
    device: str
    cid: str
    item: int
    mid: int
    conversation: str
    sequence: int
    version: int
    at_ms: int


def first_answers(rows: Iterable[StoredSend]) -> dict[SendKey, Message]:
    """SENT or PACKAGE_SENT of each send among `rows`; a row may come twice, in any order."""
    items: dict[SendKey, dict[int, StoredSend]] = {}
    for row in rows:
        items.setdefault((row.sender, row.device, row.cid), {})[row.item] = row
    return {key: _answer([rows_of[item] for item in sorted(rows_of)]) for key, rows_of in items.items()}


def _answer(rows: list[StoredSend]) -> Message:
    last = rows[-1]
    if last.item == 0:
        return Sent(last.cid, last.mid, last.conversation, last.sequence, last.version, last.at_ms)
    placed = [Placed(row.mid, row.sequence) for row in rows]
    return PackageSent(last.cid, last.conversation, placed, last.version, last.at_ms)
