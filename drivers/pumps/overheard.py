"""A session that somebody listens to: every frame of both directions, as it is within its carrier."""

from collections.abc import Callable
from dataclasses import replace

from drivers.carriers.wrapped import Wrapped
from drivers.contract import Session
from drivers.endpoints import Endpoint
from drivers.events import Event
from protocol import frames
from protocol.errors import RemoteProtocolError

Hear = Callable[[str, bytes], None]
"""Told "up" or "down", and one whole frame; or bytes as they came, once they are no frames any more."""


class _Direction:
    """Cuts one direction of a connection into frames."""

    def __init__(self, name: str, hear: Hear) -> None:
        self._name = name
        self._hear = hear
        self._held = bytearray()
        self._is_lost = False

    def passes(self, data: bytes) -> None:
        if self._is_lost:
            self._hear(self._name, data)
            return
        self._held += data
        at = 0
        try:
            while (size := frames.whole_frame_bytes(self._held, at)) is not None:
                if at + size > len(self._held):
                    break
                self._hear(self._name, bytes(self._held[at : at + size]))
                at += size
        except RemoteProtocolError:
            self._hear(self._name, bytes(self._held[at:]))
            self._is_lost = True
            at = len(self._held)
        del self._held[:at]


class OverheardSession(Wrapped):
    """The session inside, unchanged: what it says is heard before it goes, what it hears before it does."""

    __slots__ = ("_down", "_up")

    def __init__(self, inner: Session, hear: Hear) -> None:
        super().__init__(inner)
        self._up = _Direction("up", hear)
        self._down = _Direction("down", hear)

    def take(self) -> bytes:
        out = self._inner.take()
        if out:
            self._up.passes(out)
        return out

    def receive(self, data: bytes) -> list[Event]:
        if data:
            self._down.passes(data)
        return self._inner.receive(data)


def overheard(endpoint: Endpoint, hear: Hear) -> Endpoint:
    """The endpoint with `hear` told of every frame that a client of the dialect sends there or receives."""
    new_session = endpoint.dialect.new_session
    dialect = replace(endpoint.dialect, new_session=lambda: OverheardSession(new_session(), hear))
    return replace(endpoint, dialect=dialect)


def overheard_bare(endpoint: Endpoint, hear: Hear) -> Endpoint:
    """The same for a bare `Wire`, which has a carrier and no dialect."""
    wrap = endpoint.carrier.wrap

    def listen(session: Session) -> Session:
        listening = OverheardSession(session, hear)
        return listening if wrap is None else wrap(listening)

    return replace(endpoint, carrier=replace(endpoint.carrier, wrap=listen))
