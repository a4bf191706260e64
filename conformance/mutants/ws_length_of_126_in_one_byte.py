from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol import websocket


def encode(encode: Any, opcode: Any, payload: bytes, *, masked: bool) -> bytes:
    framed: bytes = encode(opcode, payload, masked=masked)
    return framed[:2] + framed[4:] if len(payload) == 126 and not masked else framed


def patch() -> None:
    around(websocket, "encode", encode)


MUTANT = Mutant(
    "ws_length_of_126_in_one_byte",
    breaks=("WAY.3",),
    story="up to 126 bytes have a short length, where it is up to 125",
    patch=patch,
    carriers=("ws",),
)
