"""block: the port is closed for a while; connections end and connects are refused."""

from collections import Counter
from typing import Any
from weakref import WeakKeyDictionary

from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from chaos.fault import Fault, fault, targets, unneeded

_blocks: WeakKeyDictionary[ToxiproxyControl, Counter[str]] = WeakKeyDictionary()


@fault
class Block(Fault[ToxiproxyControl]):
    """A port opens again when the last of several overlapping blocks is healed."""

    name = "block"
    example = "block at 10s for 5s on access-1"
    color = "#111111"
    wild = ("block",)
    trials = ("block", "block on scheduler;new_network")

    def __init__(self) -> None:
        self._blocked: list[str] = []

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Block":
        unneeded(cls, value, stream)
        return cls()

    def apply(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        held = _blocks.setdefault(lever, Counter())
        for proxy in targets(lever, target):
            held[proxy] += 1
            self._blocked.append(proxy)
            lever.set_enabled(proxy, False)
        return {"proxies": list(self._blocked)}

    def heal(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        held = _blocks.setdefault(lever, Counter())
        while self._blocked:
            proxy = self._blocked[-1]
            if held[proxy] <= 1:
                try:
                    lever.set_enabled(proxy, True)
                except ToxiproxyError as error:
                    if error.status != 404:  # a proxy that is gone blocks nobody
                        raise
            held[proxy] -= 1
            self._blocked.pop()
        return {}

    def summary(self) -> str:
        return "block"
