"""Logins and HTTP headers that come byte by byte and never end."""

import time

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground
from protocol import frames
from protocol.messages import Login

_EACH = 200
_PAUSE_S = 0.2


@attack(limit_mb=20)
def run(ground: Ground) -> str:
    """The server ends them when the time for a login, or for a request, is over."""
    login = frames.encode(Login("t" * 900, "slow"))
    header = b"GET /v1/inbox HTTP/1.1\r\nHost: x\r\nX-Patience: " + b"x" * 4000
    drips = [(ground.open(), login) for _ in range(_EACH)]
    drips += [(ground.open(ground.http), header) for _ in range(_EACH)]
    until = time.monotonic() + 20.0
    at = 0
    while time.monotonic() < until and (drips := [drip for drip in drips if not drip[0].is_ended]):
        for line, data in drips:
            line.send(data[at : at + 1])
        at += 1
        time.sleep(_PAUSE_S)
    return f"{_EACH} logins and {_EACH} HTTP headers, a byte each {_PAUSE_S:g} s"
