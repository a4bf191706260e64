"""What an access node remembers of one connection: as little as possible while it is idle."""

import enum

import msgspec

from protocol.frames import FrameBuffer
from protocol.messages import Message
from refserver.access.presence import Presence
from refserver.access.window import Window

WRITE_BYTES = 256 << 10
"""As much as that is joined for one write."""


class State(enum.IntEnum):
    """NEW → ATTACHING → READY, and from each of them CLOSING: nothing is read any more but the end."""

    NEW = 0
    ATTACHING = 1
    READY = 2
    CLOSING = 3


class Outbox(msgspec.Struct, gc=False, eq=False):
    """Bytes that wait for the end of the batch, or for the kernel (`blocked`)."""

    chunks: list[bytes] = []
    size_bytes: int = 0
    marked: bool = False
    blocked: bool = False

    def take_write(self) -> bytes:
        """What is to be written next; `size_bytes` goes down when the kernel has taken it."""
        chunks = self.chunks
        if len(chunks) == 1:
            return chunks.pop()
        if self.size_bytes <= WRITE_BYTES:
            data = b"".join(chunks)
            chunks.clear()
            return data
        size = taken = 0
        while taken < len(chunks) and size < WRITE_BYTES:
            size += len(chunks[taken])
            taken += 1
        data = b"".join(chunks[:taken])
        del chunks[:taken]
        return data


class Connection(msgspec.Struct, gc=False, eq=False):
    """`number` is unique for ever on its node, with the descriptor in its low bits; it `waits` for its turn.

    The collector does not track it: its only cycle is with `presence`, which closing cuts.
    """

    fd: int
    number: int
    state: State = State.NEW
    heartbeat_s: int = 0
    device: str = ""
    zstd: bool = False
    presence: Presence | None = None
    buffer: FrameBuffer | None = None
    held: Message | None = None
    out: Outbox | None = None
    window: Window | None = None
    under_way: int = 0
    paused: bool = False
    waits: bool = False
