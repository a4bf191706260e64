"""How a node leaves without losing what it promised (SCL.4)."""

import random
import time

import gevent

from refserver.access.node import AccessNode

ANSWERS_S = 5.0
FAREWELL_S = 3.0
RETRY_AFTER_MS = (100, 1500)
"""Each client is told a time of its own between these, so that they spread."""
_LOOK_AGAIN_S = 0.01


def leave(node: AccessNode) -> None:
    """Requests under way are answered, everybody is told to go, and every connection is closed.

    Waits, so it needs a greenlet; at most ANSWERS_S + FAREWELL_S.
    """
    node.drain()
    deadline = time.monotonic() + ANSWERS_S
    while node.requests_under_way and time.monotonic() < deadline:
        gevent.sleep(_LOOK_AGAIN_S)
    node.send_away(lambda: random.randint(*RETRY_AFTER_MS))
    deadline = time.monotonic() + FAREWELL_S
    while node.lines.count and time.monotonic() < deadline:
        gevent.sleep(_LOOK_AGAIN_S)
    node.close()
