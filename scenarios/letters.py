"""What swarm devices write to each other: bodies that prove on arrival whose they are, and unchanged."""

import hashlib
import struct
from typing import NamedTuple

_HEAD = struct.Struct(">4sQQ8s")
HEAD_BYTES = _HEAD.size
_PADDING = bytes(range(256)) * 257


class Letter(NamedTuple):
    """`message`: the sender's device << 32 | its n; `planned_ns`: when the load model wanted it sent."""

    message: int
    planned_ns: int
    intact: bool


class Stationery:
    """Writes and reads the letters of one run. `run`: four bytes that tell this run from others.

    A body is run | message | planned time | digest | padding; the digest covers all of that and the sender,
    the conversation and the kind beside it, keyed by the run.
    """

    __slots__ = ("_run",)

    def __init__(self, run: bytes) -> None:
        self._run = run

    def write(
        self, message: int, planned_ns: int, sender: str, conversation: str, kind: str, size_bytes: int
    ) -> bytes:
        """A body of `size_bytes`, or as small as possible."""
        padding = _PADDING[message & 0xFF : (message & 0xFF) + max(0, size_bytes - HEAD_BYTES)]
        digest = self._digest(message, planned_ns, padding, sender, conversation, kind)
        return _HEAD.pack(self._run, message, planned_ns, digest) + padding

    def read(self, body: bytes, sender: str, conversation: str, kind: str) -> Letter | None:
        """The letter in a body; None when it is of another run or no letter at all, see `is_foreign`."""
        if len(body) < HEAD_BYTES or body[:4] != self._run:
            return None
        _, message, planned_ns, digest = _HEAD.unpack_from(body)
        expected = self._digest(message, planned_ns, body[HEAD_BYTES:], sender, conversation, kind)
        return Letter(message, planned_ns, digest == expected)

    def is_foreign(self, body: bytes, sender: str, conversation: str, kind: str) -> bool:
        """True for an intact letter of another run: something that an earlier swarm left in the inbox."""
        if len(body) < HEAD_BYTES or body[:4] == self._run:
            return False
        letter = Stationery(body[:4]).read(body, sender, conversation, kind)
        return letter is not None and letter.intact

    def _digest(
        self, message: int, planned_ns: int, padding: bytes, sender: str, conversation: str, kind: str
    ) -> bytes:
        return hashlib.blake2b(
            b"%d %d %b\0%b\0%b\0%b"
            % (message, planned_ns, padding, sender.encode(), conversation.encode(), kind.encode()),
            digest_size=8,
            key=self._run,
        ).digest()
