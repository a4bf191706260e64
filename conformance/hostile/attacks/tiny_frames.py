"""A million of the smallest frames that there are."""

import threading

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground
from protocol import frames
from protocol.frames import EMPTY_PING
from protocol.messages import Ping

_PINGS = 1_000_000
_AT_ONCE = 10_000


@attack(limit_mb=40)
def run(ground: Ground) -> str:
    """All on one connection, as fast as they are taken; every answer is read."""
    line = ground.login()
    line.say(Ping())
    answer = line.hear()
    pong_bytes = 0 if answer is None else len(frames.encode(answer))
    reading = threading.Thread(target=line.drain, args=(_PINGS * pong_bytes,), daemon=True)
    reading.start()
    sent = 0
    while sent < _PINGS and line.send(EMPTY_PING * _AT_ONCE):
        sent += _AT_ONCE
    reading.join()
    return f"{sent:,} PINGs of {len(EMPTY_PING)} bytes on one connection"
