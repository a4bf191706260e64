"""The messages of the protocol as JSON objects by field name. Bodies are base64; numbers stay numbers."""

from typing import Annotated

import msgspec

Limit = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""How many to answer with at most; a page may end earlier."""


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
