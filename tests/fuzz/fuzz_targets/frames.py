"""protocol.frames and .messages: however bytes are cut, they are the same messages and the same error."""

from random import Random
from typing import Any

import msgspec
import zstandard
from fuzzing import damaged, pieces, target

from protocol import frames
from protocol.errors import RemoteProtocolError
from protocol.frames import FrameBuffer
from protocol.limits import FLAG_COMPRESSED, MAGIC, MAX_INFLATED_BODY_BYTES
from protocol.messages import (
    BY_TYPE,
    Bye,
    Contact,
    ContactList,
    Contacts,
    Entry,
    Error,
    GoAway,
    History,
    HistoryPage,
    Item,
    LoggedIn,
    Login,
    Message,
    PackageSent,
    Ping,
    Placed,
    Pong,
    Pull,
    Pulled,
    Push,
    Pushed,
    Read,
    ReadUpdate,
    Send,
    SendPackage,
    Sent,
    Unread,
    UnreadCounts,
    UnreadOf,
    decode_body,
    encode_body,
)  # fmt: skip

_NUMBERS = (0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1)
_TEXTS = ("a", "a:b", "g:x", "ü" * 32, "x" * 64, "\x00", "😀")
_ENTRY = Entry(7, 1 << 60, "a:b", 3, "a", "text", b"hello", 1_790_000_000_000)
_MESSAGES: list[Message] = [
    Login("token", "d1", "linux", 3, 60, ["zstd"]), LoggedIn("u", 1, 2, 60, ["zstd"], 4, "n"), Ping(),
    Ping(5), Pong(2**40, 3600), Send("c", "b", "text", b"x" * 40, 5), Sent("c", 1, "a:b", 1, 1, 1),
    SendPackage("c", "b", [Item("text", b"1"), Item("image", b"22")]),
    PackageSent("c", "a:b", [Placed(1, 1), Placed(2, 2)], 2, 9), _ENTRY,
    Push(7, 1, "a:b", 3, "a", "text", b"", 1, 2), Pushed(4), Pull(0, 100), Pulled([_ENTRY] * 3, 9, True),
    Read("a:b", 3), ReadUpdate("a:b", 3, 0, 0), Unread(), UnreadCounts(3, [UnreadOf("a:b", 3)]),
    Contacts(0, 5), ContactList([Contact("b", 1, 1, 1, 0)]), History("a:b", 0, 10),
    HistoryPage([_ENTRY], False), GoAway("draining", 100, ["tcp://h:1"]), Bye(),
    Error(429, "retry_after_ms=5", "c", False),
]  # fmt: skip
_BOMBS_IN = 2000
"""One input of so many is a bomb: to inflate it up to the limit takes as long as a thousand others."""


@target("frames")
class Frames:
    def __init__(self, chance: Random) -> None:
        self._frames = [frames.encode(message) for message in _MESSAGES]
        self._frames += [_frame(message.TYPE, encode_body(message), compressed=True) for message in _MESSAGES]
        undeclared = zstandard.ZstdCompressor(write_content_size=False)
        bombs = (
            (0x10, zstandard.compress(bytes(4 * MAX_INFLATED_BODY_BYTES))),
            (0x23, undeclared.compress(bytes(2 * MAX_INFLATED_BODY_BYTES))),
            (0x03, zstandard.compress(b"\x90") * 20_000),
            (0x23, b"\x91" * 100_000),
        )
        self._bombs = [_frame(kind, body, flags=FLAG_COMPRESSED) for kind, body in bombs]

    def next_input(self, chance: Random) -> bytes:
        if chance.randrange(_BOMBS_IN) == 0:
            return chance.choice(self._bombs)
        stream = b"".join(self._one(chance) for _ in range(chance.choice((1, 1, 1, 2, 5))))
        return damaged(stream, chance, chance.choice(self._frames)) if chance.random() < 0.6 else stream

    def _one(self, chance: Random) -> bytes:
        if chance.random() < 0.5:
            return chance.choice(self._frames)
        # A frame whose header is right around a body that is MessagePack but perhaps not the message.
        message = chance.choice(_MESSAGES)
        fields = list(msgspec.structs.astuple(message))
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(len(fields) + 1)
            match chance.randrange(3):
                case 0:
                    fields[at : at + 1] = [_any_value(chance)]
                case 1:
                    fields.insert(at, _any_value(chance))
                case 2:
                    del fields[at:]
        kind = message.TYPE if chance.random() < 0.9 else chance.randrange(256)
        return _frame(kind, msgspec.msgpack.encode(fields), compressed=chance.random() < 0.2)

    def feed(self, data: bytes, chance: Random) -> None:
        compression = chance.random() < 0.5
        whole = _read(FrameBuffer(data, compression=compression))
        cut = _read(FrameBuffer(compression=compression), pieces(data, chance))
        assert whole == cut, f"whole: {whole}, in pieces: {cut}"
        for kind, message in whole[0]:
            body = encode_body(message)
            assert decode_body(kind, body) == message, f"0x{kind:02x} {message}"

    def close(self) -> None:
        """Nothing is open."""


def _frame(kind: int, body: bytes, *, flags: int = 0, compressed: bool = False) -> bytes:
    if compressed:
        body, flags = zstandard.compress(body), FLAG_COMPRESSED
    return bytes((MAGIC, kind, flags, 0)) + len(body).to_bytes(4, "big") + body


def _any_value(chance: Random, depth: int = 0) -> Any:
    match chance.randrange(9 if depth < 3 else 7):
        case 0:
            return chance.choice(_NUMBERS)
        case 1:
            return -chance.choice(_NUMBERS)
        case 2:
            return chance.choice(_TEXTS)
        case 3:
            return chance.choice(_TEXTS).encode() * chance.choice((1, 100))
        case 4:
            return chance.choice((None, True, False, 1.5, float("nan")))
        case 5:
            return "x" * chance.choice((65, 129, 130, 1025))
        case 6:
            return 2**64 - 1
        case 7:
            return [_any_value(chance, depth + 1)] * chance.choice((0, 1, 2, 3 if depth else 101))
        case _:
            return {_TEXTS[0]: _any_value(chance, depth + 1)}


Told = tuple[list[tuple[int, Message]], str | None]


def _read(buffer: FrameBuffer, more: list[bytes] | None = None) -> Told:
    """The messages and the error after them; a message of the type that its frame says."""
    messages: list[tuple[int, Message]] = []
    try:
        for piece in [None] if more is None else more:
            if piece is not None:
                buffer.feed(piece)
            while (frame := buffer.next_frame()) is not None:
                message = decode_body(*frame)
                assert type(message) is BY_TYPE[frame[0]]
                messages.append((frame[0], message))
    except RemoteProtocolError as error:
        return messages, f"{error.code} {error}"
    return messages, None
