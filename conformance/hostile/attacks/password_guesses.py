"""Passwords tried as fast as the server answers: each costs it a hash that is slow on purpose."""

import json
import time

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground

_CONNECTIONS = 30
_GUESSING_S = 5.0


@attack(limit_mb=100)
def run(ground: Ground) -> str:
    """Over many connections at a time, for a user that exists."""
    until = time.monotonic() + _GUESSING_S

    def guess(number: int) -> int:
        line = ground.open(ground.http)
        guesses = 0
        while time.monotonic() < until:
            body = json.dumps({"user": "attacker", "password": f"{number} {guesses}"}).encode()
            head = f"POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            if not line.send(head.encode() + b"Content-Type: application/json\r\n\r\n" + body):
                break
            if not line.drain(1):
                break
            guesses += 1
        return guesses

    guesses = sum(ground.side_by_side(guess, _CONNECTIONS, at_once=_CONNECTIONS))
    return f"{guesses:,} wrong passwords over {_CONNECTIONS} connections in {_GUESSING_S:g} s"
