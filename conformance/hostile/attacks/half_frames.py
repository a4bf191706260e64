"""Frames that are announced and never completed."""

import time

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground, frame
from protocol.limits import MAX_FRAME_BODY_BYTES
from protocol.messages import Login, Send

_UNKNOWN = 200
_KNOWN = 20
_HOLD_S = 3.0


@attack(limit_mb=80)
def run(ground: Ground) -> str:
    """Nearly a megabyte from people who have not logged in, and from users, all held at once."""
    body = bytes(MAX_FRAME_BODY_BYTES - 1)

    def begin(number: int) -> None:
        known = number < _KNOWN
        line = ground.login() if known else ground.open()
        kind = Send.TYPE if known else Login.TYPE
        line.send(frame(kind, body, announced=MAX_FRAME_BODY_BYTES))

    ground.side_by_side(begin, _KNOWN + _UNKNOWN, at_once=32)
    time.sleep(_HOLD_S)
    return f"{_UNKNOWN} logins and {_KNOWN} messages, each 1 MiB but a byte"
