"""Streams of good frames in which bytes were changed, cut out, repeated and added."""

import random

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground
from protocol import frames
from protocol.messages import History, Ping, Pull, Pushed, Read, Send, Unread

_STREAMS = 2_000
_SEED = 1


@attack(limit_mb=40)
def run(ground: Ground) -> str:
    """Half of them from a user who has logged in; each is cut somewhere, and then the line goes dead."""
    dice = random.Random(_SEED)
    good = [Ping(), Ping(5), Pull(0, 5), Pushed(3), Read("a:b", 1), Unread(), History("a:b", 0, 5)]
    stream = b"".join(map(frames.encode, [*good, Send("c", "friend", "text", bytes(50))]))
    streams = [_damaged(stream, dice) for _ in range(_STREAMS)]

    def throw(number: int) -> None:
        line = ground.login() if number % 2 else ground.open()
        line.send(streams[number])
        line.hang_up()

    ground.side_by_side(throw, _STREAMS)
    return f"{_STREAMS:,} streams of damaged frames"


def _damaged(stream: bytes, dice: random.Random) -> bytes:
    data = bytearray(stream)
    for _ in range(dice.randint(1, 6)):
        at, length = dice.randrange(len(data)), dice.randint(1, 30)
        change = dice.randrange(4)
        if change == 0:
            data[at] = dice.randrange(256)
        elif change == 1:
            del data[at : at + min(length, 9)]
        elif change == 2:
            data[at:at] = data[at : at + length]
        else:
            data[at:at] = dice.randbytes(length)
    return bytes(data[: dice.randint(1, len(data))])
