"""Resolvers that are broken on purpose, for a swarm whose clients find their way in by themselves."""

import socket

import gevent

from drivers.ladder.ladder import Ladder
from drivers.pumps.scouts import Resolve, Scouts, system_addresses

NOBODY = "127.66.66.66"
"""An address of this machine where nothing listens."""
_SLOW_S = 30.0


def use(ladder: Ladder, kind: str) -> None:
    """From now on the ladder's scouts ask a resolver of that kind; "" is that of the system."""
    ladder.send_out = Scouts(ladder, _RESOLVERS[kind]).go


def _dead(name: str) -> list[str]:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _lying(name: str) -> list[str]:
    return [NOBODY]


def _slow(name: str) -> list[str]:
    gevent.sleep(_SLOW_S)
    return system_addresses(name)


_RESOLVERS: dict[str, Resolve] = {"": system_addresses, "dead": _dead, "lying": _lying, "slow": _slow}
