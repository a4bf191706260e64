"""The frame codec: bytes to messages and back."""

import asyncio
import struct

import msgspec
import zstandard

from .messages import (
    Bye,
    Contacts,
    Entry,
    History,
    Login,
    Message,
    Ping,
    Pull,
    Pushed,
    Read,
    Refused,
    Send,
    SendPackage,
    Unread,
)

HEADER = struct.Struct(">BBBBI")
MAGIC, COMPRESSED = 0xC7, 1
MAX_BODY, MAX_INFLATED, MAX_LOGIN = 1 << 20, 8 << 20, 16 << 10

PUSH = 0x20
FROM_CLIENTS = {
    kind.TYPE: msgspec.msgpack.Decoder(kind)
    for kind in (Login, Ping, Send, SendPackage, Pushed, Pull, Read, Unread, Contacts, History, Bye)
}
_encode = msgspec.msgpack.Encoder().encode
_deflate = zstandard.ZstdCompressor()
_inflate = zstandard.ZstdDecompressor(max_window_size=MAX_INFLATED)


def frame(message: Message, zstd: bool = False) -> bytes:
    """The message as it travels; compressed where that was agreed and makes it smaller."""
    body, flags = _encode(message), 0
    if zstd and len(small := _deflate.compress(body)) < len(body):
        body, flags = small, COMPRESSED
    return HEADER.pack(MAGIC, message.TYPE, flags, 0, len(body)) + body


def push_frame(entry: Entry, attempt: int) -> bytes:
    """A PUSH is an inbox entry; from the second attempt on it says which attempt it is."""
    fields = msgspec.structs.astuple(entry)
    body = _encode(fields if attempt == 1 else (*fields, attempt))
    return HEADER.pack(MAGIC, PUSH, 0, 0, len(body)) + body


async def read_message(reader: asyncio.StreamReader, max_body: int, zstd: bool) -> Message:
    """The next message. Raises Refused for what breaks the protocol, IncompleteReadError at the end."""
    magic, kind, flags, zero, length = HEADER.unpack(await reader.readexactly(HEADER.size))
    if magic != MAGIC or zero or flags & ~COMPRESSED or (flags and not zstd) or kind not in FROM_CLIENTS:
        raise Refused(400, "this is no frame of the protocol")
    if length > max_body:
        raise Refused(413, f"a frame's body has at most {max_body} bytes here")
    body = await reader.readexactly(length)
    if kind == Ping.TYPE and not body:
        return Ping()
    try:
        return FROM_CLIENTS[kind].decode(inflated(body) if flags else body)
    except (msgspec.MsgspecError, ValueError, RecursionError, zstandard.ZstdError) as error:
        raise Refused(400, f"the body of a frame of type {kind:#04x}: {error}"[:1024]) from error


def inflated(body: bytes) -> bytes:
    """One whole zstd frame, and never more than MAX_INFLATED of it in memory."""
    inflater = _inflate.decompressobj()
    whole = bytearray()
    # Small pieces in, so that what one piece can become stays small as well.
    for at in range(0, len(body), 256):
        whole += inflater.decompress(body[at : at + 256])
        if len(whole) > MAX_INFLATED:
            raise Refused(413, "the body inflates to more than 8 MiB")
        if inflater.eof:
            break
    if not inflater.eof or inflater.unused_data or at + 256 < len(body):
        raise Refused(400, "the body is not one zstd frame")
    return bytes(whole)
