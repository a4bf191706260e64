"""Ten thousand connections that say nothing."""

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground

_CONNECTIONS = 10_000


@attack(limit_mb=80)
def run(ground: Ground) -> str:
    """The server ends them when the time for a login is over."""
    for _ in range(_CONNECTIONS):
        ground.open()
    ground.await_ends()
    return f"{_CONNECTIONS:,} connections without a word"
