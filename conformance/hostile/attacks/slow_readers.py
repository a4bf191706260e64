"""Devices that ask for much and are sent much, and read nothing of it."""

import threading
import time
import uuid

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground
from protocol import frames
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Pull, Send

_READERS = 8
_FIRST = 200
_THEN_EVERY_S = 0.02
_PULLING_S = 5.0
_STUCK_S = 1.0


@attack(limit_mb=100)
def run(ground: Ground) -> str:
    """They pull an inbox of 13 MB again and again, while a friend goes on writing to them.

    Each may be owed 1 MiB of pushes and 1.5 of pages; the store reads through a cache of 64 MiB, and a page
    is held several times while it is made.
    """
    readers = [ground.login() for _ in range(_READERS)]
    writer = ground.login("friend")
    threading.Thread(target=writer.drain, daemon=True).start()
    body = bytes(MAX_MESSAGE_BODY_BYTES)
    for _ in range(_FIRST):
        writer.say(Send(uuid.uuid4().hex, "attacker", "text", body))
    until = time.monotonic() + _PULLING_S

    def write() -> int:
        messages = 0
        while time.monotonic() < until and writer.say(Send(uuid.uuid4().hex, "attacker", "text", body)):
            messages += 1
            time.sleep(_THEN_EVERY_S)
        return messages

    def act(number: int) -> int:
        if number == _READERS:
            return write()
        line = readers[number]
        line.socket.settimeout(_STUCK_S)
        while time.monotonic() < until and line.send(frames.encode(Pull(0, 1000)) * 100):
            pass
        return 0

    written = _FIRST + sum(ground.side_by_side(act, _READERS + 1, at_once=_READERS + 1))
    return f"{written:,} messages of 64 KiB to {_READERS} devices that pull and do not read"
