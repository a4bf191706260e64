"""The words of a ledger: events, reasons, columns. Codes are for writers; files hold the lower-case names."""

from enum import IntEnum

import pyarrow as pa


class Event(IntEnum):
    """What a row says about its device; which columns it uses stands beside it."""

    SEND = 0  # message, conversation, planned_ns: handed to the client; code = its place in a package, from 0
    RETRANSMIT = 1  # message; code = attempt (2 = first repeat)
    ACKED = 2  # message, conversation, sequence, version (the sender's inbox)
    REJECTED = 3  # message; code = the server's error
    DELIVERED = (
        4  # message, conversation, sequence, version, via push/pull/poll; code = attempt, ALTERED, FOREIGN
    )
    REPEATED = 5  # as DELIVERED: came again (or is the device's own), kept from the application
    GAP = 6  # version after which the client found a hole
    LOGIN = 7  # version (the server's newest), via = path, code = attempts since the connection was lost
    CONNECT_FAILED = 8  # via = path
    CLOSED = 9  # via = path, code = CloseReason
    REFUSED = 10  # code = the server's error
    GONE_AWAY = 11  # code 0 = draining or other, 1 = replaced
    OFFLINE = 12  # leaves on purpose
    ONLINE = 13  # comes back on purpose
    READ = 14  # conversation, sequence: confirmed as read up to and including
    UNREAD = 15  # settled end: the server's count in `sequence`; conversation null = the total
    SETTLED = 16  # settled end: version stands still
    UNSETTLED = 17  # could not be settled in time

    @property
    def label(self) -> str:
        return self.name.lower()


class CloseReason(IntEnum):
    """Why a connection ended, as its client saw it."""

    BYE = 0
    EOF = 1
    RESET = 2
    SILENCE = 3  # no answer to heartbeats
    LOGIN_TIMEOUT = 4
    PROTOCOL_ERROR = 5
    REPLACED = 6
    DRAINING = 7
    CONNECT_TIMEOUT = 8
    REFUSED = 9
    LEFT = 10  # on purpose
    UNANSWERED = 11  # a send was not answered, and the protocol has no repeats on the same connection


ALTERED = -1
"""`code` of a delivery whose digest over id, kind, sender and conversation is wrong."""

FOREIGN = -2
"""`code` of a delivery that belongs to another run: counted, otherwise ignored."""

EVENT_LABELS = [event.label for event in Event]

ROWS = pa.schema(
    [
        ("at_ns", pa.int64()),
        ("planned_ns", pa.int64()),
        ("event", pa.dictionary(pa.int8(), pa.string())),
        ("device", pa.int32()),
        ("message", pa.int64()),
        ("conversation", pa.int32()),
        ("sequence", pa.int64()),
        ("version", pa.int64()),
        ("via", pa.dictionary(pa.int16(), pa.string())),
        ("code", pa.int16()),
    ]
)

DEVICES = pa.schema(
    [("device", pa.int32()), ("user", pa.int32()), ("user_id", pa.string()), ("device_id", pa.string())]
)
CONVERSATIONS = pa.schema([("conversation", pa.int32()), ("name", pa.string())])
MEMBERS = pa.schema([("conversation", pa.int32()), ("user", pa.int32())])


def message_key(device: int, n: int) -> int:
    """The `message` column: which device sent it, and as its how manieth."""
    return device << 32 | n
