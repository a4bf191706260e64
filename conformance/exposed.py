"""Bare connections under a fault plan: a connection that a fault has broken says so.

A client makes good what breaks; a bare connection cannot, and what a case was going to learn by it is lost.
So whoever reads from it or writes to it gets BrokenByPlan instead of an answer, which is what alone lets a
case be tried again. Whether a fault did it is for the evidence to say: the system's own word that nothing
was acknowledged any more, or the record of a fault that was on while the connection lived. What the server
said by then, and what it did not say over a connection that works, is the server's.
"""

import errno
import http.client
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.web import Hear, Reply, Web
from drivers.carriers.polling import BAD_GATEWAY
from drivers.endpoints import Endpoint
from drivers.pumps.wire import Wire
from protocol.messages import Error, Login, Message, Ping

if TYPE_CHECKING:
    from conformance.weather import Weather

PATIENCE = 4.0
"""By what time limits are multiplied: those who can only wait have to wait for outages to end."""
_LIMIT_S = 10.0
_WEB_LIMIT_S = 15.0
_PROBE_S, _PROBES = 1, 12
_NEVER = float("inf")


class BrokenByPlan(Exception):
    """A connection that a case has to itself was broken by a fault of the plan; the text says which and how
    that was seen."""


def keep_watch(connection: socket.socket) -> None:
    """The kernel asks the other end every second, and gives the connection up when that has not answered for
    twelve: so a dead path is no silent server. Nobody above TCP notices."""
    if connection.family != socket.AF_INET:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _PROBES * _PROBE_S * 1000)


class Life:
    """What is known of a connection when it ends. `is_made`: it was there at all. `said_at`, `heard_at`: when
    either end last said something, as seen from here. `may_be_silent_s`: for so long the server has to bear
    that nothing comes; monotonic seconds otherwise."""

    def __init__(self) -> None:
        self.is_made = False
        self.opened_at = self.said_at = self.heard_at = time.monotonic()
        self.may_be_silent_s = _NEVER

    @property
    def unanswered_s(self) -> float:
        """For so long nothing was heard although something was said since; 0 if nothing was."""
        return time.monotonic() - self.heard_at if self.said_at > self.heard_at else 0.0

    def says(self, message: Message) -> None:
        """The client speaks, and asks for an interval, perhaps."""
        self.said_at = time.monotonic()
        if isinstance(message, Login | Ping) and message.heartbeat_s:
            self.may_be_silent_s = min(self.may_be_silent_s, 1.5 * message.heartbeat_s)


class ExposedWire(Wire):
    """A wire under the weather; `name` is for the text of BrokenByPlan."""

    patience = PATIENCE

    def __init__(
        self, endpoint: Endpoint, weather: "Weather", name: str, *, compression: bool = False
    ) -> None:
        self._weather, self._name, self._life = weather, name or "a connection", Life()
        self._is_tunnel = endpoint.carrier.new_tunnel is not None
        try:
            super().__init__(
                endpoint, compression=compression, timeout_s=_LIMIT_S * PATIENCE, source=weather.source()
            )
        except OSError as error:
            self._judge(error)
            raise
        self._life.is_made = True
        keep_watch(self._socket)

    def send(self, *to_send: Message) -> None:
        for message in to_send:
            self._life.says(message)
        super().send(*to_send)

    def send_bytes(self, data: bytes) -> None:
        try:
            super().send_bytes(data)
        except OSError as error:
            self._judge(error)
            raise

    def next(self, timeout_s: float | None = None) -> Message | None:
        message = super().next(timeout_s)
        if message is None:
            self._judge(self.error)
        elif self._is_tunnel and isinstance(message, Error) and message.code == BAD_GATEWAY:
            # Said by the tunnel's own end, of a request that came to nothing on its way.
            self._judge(ConnectionError(message.text))
        return message

    def _hear(self, data: bytes) -> None:
        if data:
            self._life.heard_at = time.monotonic()
        super()._hear(data)

    def _judge(self, error: OSError | None) -> None:
        """Raises BrokenByPlan if it was the plan."""
        why = self._weather.cause(self._life, error, is_tunnel=self._is_tunnel)
        if why is not None:
            broken(self._name, error, why)


class ExposedWeb(Web):
    """Short requests under the weather."""

    def __init__(
        self, url: str, token: str | None, device: str, weather: "Weather", *, ca: Path | None, hear: Hear
    ) -> None:
        super().__init__(
            url, token, device, _WEB_LIMIT_S * PATIENCE, ca=ca, hear=hear, source=weather.source()
        )
        self._weather = weather
        self._name = f"{device} over HTTP"
        self._life = Life()

    def call(
        self, method: str, path: str, content: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        if self._connection.sock is None:
            self._life = Life()
        try:
            return super().call(method, path, content, headers=headers)
        except (OSError, http.client.HTTPException) as error:
            said = error if isinstance(error, OSError) else None
            why = self._weather.cause(self._life, said)
            if why is not None:
                broken(self._name, said, why)
            raise

    def _connected(self, connection: Any) -> None:
        self._life.is_made = True
        keep_watch(connection)


def broken(name: str, error: OSError | None, why: str) -> NoReturn:
    """Raises BrokenByPlan."""
    said = "the connection ended" if error is None else error.strerror or str(error)
    raise BrokenByPlan(f"{name}: {said}, {why}") from error


def is_silence(error: OSError | None) -> bool:
    """Whether it is the system's word that nothing at all came back."""
    return error is not None and error.errno in (
        errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN
    )  # fmt: skip
