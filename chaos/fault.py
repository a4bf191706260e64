"""What a fault is: parsed once, applied once, healed as often as somebody wants to be sure."""

import functools
import importlib
import itertools
import pkgutil
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from chaos.control import ToxiproxyControl
from chaos.errors import FaultSyntaxError, ToxiproxyError
from chaos.levers import PROXIES
from chaos.where import ALL as ALL

F = TypeVar("F", bound="type[Fault[Any]]")
L = TypeVar("L")

DIRECTIONS = ("upstream", "downstream")
STREAMS = (*DIRECTIONS, "both")

_registered: dict[str, "type[Fault[Any]]"] = {}
_serial = itertools.count(1)


class Fault(ABC, Generic[L]):
    """One thing that goes wrong, at one target (a proxy's name, or * for all).

    `pulls`: which of the levers it works by (`chaos.levers`). `example` shows how it is written; `color` is
    its band in charts; an `instantaneous` fault is over as soon as it has happened.
    `trials`: in which forms a fault matrix tries it, as people write them and with a semicolon between those
    of one trial; () for that of the example. `needs_ladder`: it means nothing to clients that know addresses.
    `ends_connections`: whether it may end one with a word, a FIN or a RST, instead of falling silent.
    `wild`: in which forms random schedules may have it, () for none; the run has to pass under all of them.

    `per_client`, `per_connection`: whether it can be on for a share of them. Which, is set before `apply`:
    `clients`, the addresses that they come from, () for all; `connections`, the share.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    color: ClassVar[str]
    instantaneous: ClassVar[bool] = False
    pulls: ClassVar[str] = PROXIES
    trials: ClassVar[tuple[str, ...]] = ()
    needs_ladder: ClassVar[bool] = False
    ends_connections: ClassVar[bool] = True
    wild: ClassVar[tuple[str, ...]] = ()
    per_client: ClassVar[bool] = False
    per_connection: ClassVar[bool] = False
    clients: tuple[str, ...] = ()
    connections: float = 1.0

    @classmethod
    @abstractmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Fault[L]":
        """The fault for the text behind `name=`, None if there is none. Raises FaultSyntaxError."""

    @classmethod
    def check_target(cls, target: str) -> None:
        """Raises FaultSyntaxError for one that it can never have; which proxies there are shows later."""

    @classmethod
    def silent_over(cls, carrier: str) -> str:
        """Why nobody who comes over that carrier notices it, "" if they do."""
        return ""

    @abstractmethod
    def apply(self, lever: L, target: str) -> dict[str, Any]:
        """It is on; the answer is the detail for the record. Raises ChaosError: it may be on in part."""

    @abstractmethod
    def heal(self, lever: L, target: str) -> dict[str, Any]:
        """It is off, whether it was on, in part, or not at all; the answer adds to the detail."""

    @abstractmethod
    def summary(self) -> str:
        """A few words for people."""


class ToxicFault(Fault[ToxiproxyControl]):
    """A fault that is a toxic on each proxy of the target, in one direction or in both."""

    default_stream: ClassVar[str] = "both"
    per_client = True
    per_connection = True

    def __init__(self, value: str | None, attributes: dict[str, Any], stream: str | None) -> None:
        stream = stream or self.default_stream
        if stream not in STREAMS:
            raise FaultSyntaxError(f"stream {stream!r} of {self.name}: there are {', '.join(STREAMS)}")
        self.value = value
        self.attributes = attributes
        self.streams = DIRECTIONS if stream == "both" else (stream,)
        self._added: list[tuple[str, str]] = []

    def apply(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        # A serial number in the names, because faults of the same kind may overlap on one proxy.
        serial = next(_serial)
        for proxy in targets(lever, target):
            for stream in self.streams:
                name = f"{self.name}-{serial}-{stream}"
                # Noted first: healing must find it even if this call is cut short.
                self._added.append((proxy, name))
                lever.add_toxic(
                    proxy,
                    self.name,
                    name=name,
                    stream=stream,
                    toxicity=self.connections,
                    attributes=self.attributes,
                    clients=",".join(self.clients),
                )
        return {"attributes": self.attributes, "streams": list(self.streams)}

    def heal(self, lever: ToxiproxyControl, target: str) -> dict[str, Any]:
        counts: dict[str, int] = {}
        while self._added:
            proxy, name = self._added[-1]
            try:
                for what, count in lever.toxic(proxy, name).get("counts", {}).items():
                    counts[what] = counts.get(what, 0) + count
                lever.remove_toxic(proxy, name)
            except ToxiproxyError as error:
                if error.status != 404:  # gone already is as good
                    raise
            self._added.pop()
        return {"counts": counts} if counts else {}

    def summary(self) -> str:
        where = "" if len(self.streams) > 1 else f" {self.streams[0]}"
        return f"{self.name}{f' {self.value}' if self.value else ''}{where}"


def fault(kind: F) -> F:
    """Register a Fault under its name."""
    _registered[kind.name] = kind
    return kind


@functools.cache
def fault_kinds() -> "dict[str, type[Fault[Any]]]":
    """All faults by name."""
    package = importlib.import_module("chaos.faults")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"chaos.faults.{module.name}")
    return dict(sorted(_registered.items()))


def targets(control: ToxiproxyControl, target: str) -> list[str]:
    """Names of the proxies that `target` means. Raises ToxiproxyError if there are none."""
    names = sorted(control.proxies())
    if target == ALL and names:
        return names
    if target in names:
        return [target]
    there_are = f"there are {', '.join(names)}" if names else "there are none"
    raise ToxiproxyError(f"no proxy {target!r} at {control.url}; {there_are}", 404)


def needed(kind: type[Fault[Any]], value: str | None) -> str:
    """`value`. Raises FaultSyntaxError when there is none."""
    if not value:
        raise FaultSyntaxError(f"{kind.name} needs a value; write it like {kind.example}")
    return value


def unneeded(kind: type[Fault[Any]], value: str | None, stream: str | None) -> None:
    """Raises FaultSyntaxError when a value or a stream is given."""
    if value or stream:
        raise FaultSyntaxError(
            f"{kind.name} takes no {'value' if value else 'stream'}; write it like {kind.example}"
        )
