"""One user who asks and sends as fast as the server takes it, over several connections."""

import threading
import time
import uuid

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground
from protocol import frames
from protocol.messages import History, Ping, Pull, Send, Unread

_CONNECTIONS = 4
_FLOOD_S = 6.0
_BURST = 20


@attack(limit_mb=150)
def run(ground: Ground) -> str:
    """Answers are read, so that nothing but the work itself slows it down."""
    until = time.monotonic() + _FLOOD_S

    def flood(number: int) -> int:
        line = ground.login()
        threading.Thread(target=line.drain, daemon=True).start()
        bursts = 0
        while time.monotonic() < until and line.send(_burst()):
            bursts += 1
        return bursts

    bursts = sum(ground.side_by_side(flood, _CONNECTIONS))
    return f"{bursts * _BURST * 5:,} frames of one user over {_CONNECTIONS} connections in {_FLOOD_S:g} s"


def _burst() -> bytes:
    asking = [Ping(), Pull(0, 100), Unread(), History("attacker:friend", 0, 100)]
    sends = (Send(uuid.uuid4().hex, "friend", "text", bytes(200)) for _ in range(_BURST))
    return b"".join(frames.encode(message) for send in sends for message in (send, *asking))
