"""Somebody else in the place of what is behind a proxy, for a while."""

from abc import abstractmethod
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from chaos.fault import Fault, targets

_ways: WeakKeyDictionary[ToxiproxyControl, dict[str, list["_Detour"]]] = WeakKeyDictionary()


class StandIn(Protocol):
    """Listens at `address` from its making until `close`."""

    @property
    def address(self) -> str:
        """HOST:PORT."""

    def close(self) -> None:
        """It has ended. Twice is allowed."""


class _Detour:
    """Where a proxy leads to instead of to `before`, which is where it led when there was no detour yet."""

    def __init__(self, proxy: str, before: str, stand_in: StandIn) -> None:
        self.proxy = proxy
        self.before = before
        self.stand_in = stand_in


class DetourFault(Fault[ToxiproxyControl]):
    """Connections end when it begins and when it is over; those between are with a stand-in. Of several that
    overlap on a proxy the last one counts."""

    def __init__(self) -> None:
        self._detours: list[_Detour] = []

    @abstractmethod
    def stand_in(self, upstream: str) -> StandIn:
        """Somebody to connect to instead of `upstream`. Raises ChaosError."""

    def apply(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        ways = _ways.setdefault(lever, {})
        for proxy in targets(lever, target):
            others = ways.setdefault(proxy, [])
            before = others[0].before if others else lever.proxies()[proxy].upstream
            detour = _Detour(proxy, before, self.stand_in(before))
            self._detours.append(detour)
            others.append(detour)
            lever.lead(proxy, detour.stand_in.address)
        return {"proxies": [detour.proxy for detour in self._detours]}

    def heal(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        ways = _ways.setdefault(lever, {})
        while self._detours:
            detour = self._detours[-1]
            others = [each for each in ways.get(detour.proxy, []) if each is not detour]
            try:
                lever.lead(detour.proxy, others[-1].stand_in.address if others else detour.before)
            except ToxiproxyError as error:
                if error.status != 404:  # a proxy that is gone leads nobody astray
                    raise
            ways[detour.proxy] = others
            detour.stand_in.close()
            self._detours.pop()
        return {}

    def summary(self) -> str:
        return self.name
