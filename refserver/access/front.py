"""`any://`: one port for chat frames, WebSockets and HTTP, each of them in the clear or within TLS.

Many networks let only a few ports through, so each of those has to serve everything. What a connection is
shows in its first bytes; with those it is handed to whoever serves that, and is none of ours any more.
"""

import logging
import socket
import ssl
import time
from dataclasses import dataclass

from protocol.limits import LOGIN_TIMEOUT_S, MAGIC
from protocol.websocket import PATH
from reactor import sockets
from reactor.poller import Poller
from reactor.wheel import Ticker
from refserver.access.acceptor import Acceptor
from refserver.access.carriers.kinds import Carrying
from refserver.access.carriers.secure_websocket import SecureWebSocketCarrying
from refserver.access.carriers.tls import TlsCarrying
from refserver.access.carriers.websocket import WebSocketCarrying
from refserver.access.http.channel import Channel
from refserver.access.http.server import HttpNode
from refserver.access.lines import Lines

log = logging.getLogger(__name__)

TICK_S = 0.5
_TLS_HANDSHAKE = 0x16
_WEBSOCKET = f"GET {PATH}".encode()
_AFTER_PATH = (b" ", b"?")


@dataclass(slots=True)
class _Guest:
    """A connection of which it is not known yet what it is. `heard`: what it has said so far, decrypted."""

    channel: Channel
    door: "Door"
    since: float
    tls: TlsCarrying | None = None
    heard: bytes = b""


@dataclass(frozen=True, slots=True)
class Door:
    """An open port: its number with the lines, by which they count (`Lines.held`), and with HTTP."""

    lines: int
    http: int


class Front:
    """`context` None: TLS is not spoken, and who tries it is hung up on. So is who says nothing that tells
    what it is within the time of a login."""

    def __init__(self, lines: Lines, http: HttpNode, context: ssl.SSLContext | None) -> None:
        self._lines = lines
        self._http = http
        self._context = context
        self._poller = Poller(self._ready)
        self._acceptor = Acceptor(self._poller)
        self._doors: dict[int, Door] = {}
        self._guests: dict[int, _Guest] = {}
        self._ticker = Ticker(TICK_S, self._tick)

    def listen(self, listener: socket.socket) -> Door:
        """Connections of `listener` come here first; it is closed by `stop_listening`."""
        door = self._doors[listener.fileno()] = Door(self._lines.new_door(), self._http.new_door())
        self._acceptor.add(listener)
        return door

    def held_at(self, door: Door) -> int:
        """Connections that came in there and are open."""
        return self._lines.held[door.lines] + self._http.held[door.http]

    def stop_listening(self) -> None:
        """Nobody is accepted any more; whoever has not said what it is goes."""
        self._acceptor.stop()
        self._doors.clear()
        for guest in list(self._guests.values()):
            self._show_out(guest)

    def close(self) -> None:
        """Nothing of it is left; what was handed on stays."""
        self.stop_listening()
        self._ticker.stop()
        self._poller.close()

    def _ready(self, ready: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        for fd, _ in ready:
            guest = self._guests.get(fd)
            if guest is None:
                self._accept(fd, now)
                continue
            try:
                self._hear(guest)
            except OSError:
                self._show_out(guest)
            except Exception:
                log.exception("a fault of this server costs a connection")
                self._show_out(guest)

    def _accept(self, fd: int, now: float) -> None:
        for accepted in self._acceptor.accept(fd):
            self._guests[accepted] = _Guest(Channel(accepted), self._doors[fd], now)
            self._poller.add(accepted)

    def _hear(self, guest: _Guest) -> None:
        if guest.channel.is_blocked:
            guest.channel.flush()
        data = guest.channel.read()
        if data == b"" or guest.channel.is_over:
            self._show_out(guest)
        elif data:
            guest.heard += data
            if guest.tls is None and guest.heard[0] == _TLS_HANDSHAKE:
                self._speak_tls(guest)
            self._decide(guest)
        self._poller_watch(guest)

    def _poller_watch(self, guest: _Guest) -> None:
        if self._guests.get(guest.channel.fd) is guest:
            self._poller.watch(guest.channel.fd, write=guest.channel.is_blocked)

    def _speak_tls(self, guest: _Guest) -> None:
        if self._context is None:
            self._show_out(guest)
            return
        guest.tls = TlsCarrying(self._context)
        guest.channel, said = Channel(guest.channel.fd, guest.tls), guest.heard
        guest.heard = guest.channel.unpack(said) or b""

    def _decide(self, guest: _Guest) -> None:
        heard = guest.heard
        if not heard or guest.channel.is_blocked or self._guests.get(guest.channel.fd) is not guest:
            return
        if heard[0] == MAGIC:
            self._hand_to_lines(guest, guest.tls, heard)
        elif heard.startswith(_WEBSOCKET) and heard[len(_WEBSOCKET) : len(_WEBSOCKET) + 1] in _AFTER_PATH:
            if guest.tls is None:
                open_web = WebSocketCarrying()
                self._hand_to_lines(guest, open_web, open_web.receive(heard))
            else:
                web = SecureWebSocketCarrying(guest.tls)
                self._hand_to_lines(guest, web, web.receive_plain(heard))
        elif not _WEBSOCKET.startswith(heard):
            self._forget(guest)
            self._http.adopt(guest.channel.fd, guest.since, guest.tls, door=guest.door.http, heard=heard)

    def _hand_to_lines(self, guest: _Guest, carrier: Carrying | None, frames: bytes) -> None:
        self._forget(guest)
        self._lines.adopt(guest.channel.fd, guest.since, guest.door.lines, carrier, frames)

    def _forget(self, guest: _Guest) -> None:
        del self._guests[guest.channel.fd]
        self._poller.remove(guest.channel.fd)

    def _show_out(self, guest: _Guest) -> None:
        if self._guests.get(guest.channel.fd) is guest:
            self._forget(guest)
            sockets.close(guest.channel.fd)

    def _tick(self) -> None:
        now = time.monotonic()
        for guest in list(self._guests.values()):
            if guest.since + LOGIN_TIMEOUT_S <= now:
                self._show_out(guest)
