"""Logins with tokens that are none, and people who come and go."""

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground
from protocol.messages import Login

_LOGINS = 4_000


@attack(limit_mb=30)
def run(ground: Ground) -> str:
    """Each over a connection of its own, as fast as they are refused."""
    token = ground.tokens["attacker"]

    def knock(number: int) -> None:
        line = ground.open()
        line.say(Login(token[:-4] + f"{number:04}", "d"))
        line.drain()
        line.hang_up()

    ground.side_by_side(knock, _LOGINS, at_once=32)
    return f"{_LOGINS:,} logins with forged tokens"
