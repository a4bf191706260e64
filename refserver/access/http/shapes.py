"""The messages of the protocol as JSON objects by field name. Bodies are base64; numbers stay numbers."""

import msgspec


class EntryShape(msgspec.Struct):
    """One row of an inbox or a history."""

    version: int
    mid: int
    conversation: str
    sequence: int
    sender: str
    kind: str
    body: bytes
    at_ms: int
