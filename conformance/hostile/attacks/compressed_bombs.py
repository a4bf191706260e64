"""Small frames that would be large once inflated."""

import zstandard

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground, frame
from protocol.limits import FEATURE_ZSTD, FLAG_COMPRESSED, MAX_INFLATED_BODY_BYTES
from protocol.messages import Send, encode_body

_BOMBS = 80
_WITHIN_THE_LIMIT = 200
_PIECE = bytes(64 << 20)
_PIECES = 16


@attack(limit_mb=100)
def run(ground: Ground) -> str:
    """Bombs of a gigabyte, declared and not; then messages that inflate to just what a frame may."""
    declared = zstandard.compress(_PIECE, 1)
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    undeclared = b"".join(packer.compress(_PIECE) for _ in range(_PIECES)) + packer.flush()
    bombs = [frame(Send.TYPE, body, flags=FLAG_COMPRESSED) for body in (declared, undeclared)]

    def throw(number: int) -> None:
        line = ground.login("attacker", FEATURE_ZSTD)
        line.send(bombs[number % 2])
        line.drain()

    ground.side_by_side(throw, _BOMBS)
    body = zstandard.compress(
        encode_body(Send("huge", "friend", "text", bytes(MAX_INFLATED_BODY_BYTES - 100)))
    )
    line = ground.login("attacker", FEATURE_ZSTD)
    for _ in range(_WITHIN_THE_LIMIT):
        line.send(frame(Send.TYPE, body, flags=FLAG_COMPRESSED))
        line.hear()
    return f"{_BOMBS} frames of up to 1 GiB inflated, {_WITHIN_THE_LIMIT} of 8 MiB"
