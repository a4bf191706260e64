"""One user who sends the largest messages that there may be, as fast as the server stores them."""

import threading
import time
import uuid

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Send

_FLOOD_S = 4.0


@attack(limit_mb=110)
def run(ground: Ground) -> str:
    """Answers are read; nobody else is there to be pushed to."""
    line = ground.login()
    threading.Thread(target=line.drain, daemon=True).start()
    body = bytes(MAX_MESSAGE_BODY_BYTES)
    until = time.monotonic() + _FLOOD_S
    messages = 0
    while time.monotonic() < until and line.say(Send(uuid.uuid4().hex, "friend", "text", body)):
        messages += 1
    return f"{messages:,} messages of 64 KiB in {_FLOOD_S:g} s"
