"""reset: every connection of the target is closed at once, and may come back at once."""

from typing import Any

from chaos.control import ToxiproxyControl
from chaos.fault import Fault, fault, targets, unneeded


@fault
class Reset(Fault[ToxiproxyControl]):
    """A proxy that is blocked at that time stays blocked: it has no connections."""

    name = "reset"
    example = "reset at 10s on access-1"
    color = "#1f77b4"
    wild = ("reset",)
    instantaneous = True

    def __init__(self) -> None:
        self._closed: list[str] = []

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Reset":
        unneeded(cls, value, stream)
        return cls()

    def apply(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        names = targets(lever, target)
        states = lever.proxies()
        hit = [name for name in names if name in states and states[name].enabled]
        for proxy in hit:
            self._closed.append(proxy)
            lever.set_enabled(proxy, False)
            lever.set_enabled(proxy, True)
            self._closed.pop()
        return {"proxies": hit}

    def heal(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        while self._closed:  # only if it was interrupted between closing and opening
            lever.set_enabled(self._closed[-1], True)
            self._closed.pop()
        return {}

    def summary(self) -> str:
        return "reset"
