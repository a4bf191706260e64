"""What carriers that change the bytes have in common: the session inside does the talking."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult

from drivers.contract import (
    Carrier,
    Dialect,
    Identity,
    Outgoing,
    OutgoingPackage,
    Question,
    ResumableSession,
    Session,
)
from drivers.events import Event


@dataclass(frozen=True, slots=True)
class UrlCarrier:
    """A carrier that needs more of a target's URL than an address, and keeps it however that is resolved.

    `wrap_for(url, dialect)` is the `Carrier.wrap` of a target, whose query has only what the dialect left.
    Raises ValueError for a URL or dialect that it cannot carry. `is_websocket`: see `contract.InWebSocket`.
    """

    name: str
    wrap_for: Callable[[SplitResult, Dialect], Callable[[Session], Session]]
    is_websocket: bool = False

    def at(self, url: SplitResult, dialect: Dialect) -> Carrier:
        """The carrier of one target. Raises ValueError like `wrap_for`."""
        return Carrier(self.name, self.wrap_for(url, dialect))


class Wrapped(ABC):
    """Hands commands to the session inside; the bytes of both directions are the subclass's."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Session) -> None:
        self._inner = inner

    @abstractmethod
    def receive(self, data: bytes) -> list[Event]:
        """Bytes of the connection: the session's own are taken out of them and handed inside."""

    @abstractmethod
    def take(self) -> bytes:
        """Bytes for the connection: the carrier's own, and what the session inside wants to send."""

    def login(self, identity: Identity, version: int, heartbeat_s: int) -> None:
        self._inner.login(identity, version, heartbeat_s)

    def ping(self, heartbeat_s: int | None = None) -> None:
        self._inner.ping(heartbeat_s)

    def submit(self, outgoing: Outgoing | OutgoingPackage, attempt: int) -> None:
        self._inner.submit(outgoing, attempt)

    def acknowledge(self, version: int) -> None:
        self._inner.acknowledge(version)

    def pull(self, after: int, limit: int) -> None:
        self._inner.pull(after, limit)

    def ask(self, question: Question) -> None:
        self._inner.ask(question)

    def bye(self) -> None:
        self._inner.bye()

    def remains(self) -> object | None:
        """Of dialects that resume, as `resume`."""
        return cast(ResumableSession, self._inner).remains()

    def resume(self, remains: object) -> None:
        cast(ResumableSession, self._inner).resume(remains)
