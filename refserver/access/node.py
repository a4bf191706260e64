"""The access node: the protocol's rules about connections, and the face towards business.

Nothing waits here: requests go to business as notes, and what comes back finds its connection by number.
"""

import logging
import sys
import time
from collections.abc import Callable
from typing import Protocol

from protocol import frames
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.frames import EMPTY_PING, FrameBuffer
from protocol.limits import (
    DEFAULT_HEARTBEAT_S,
    FEATURE_ZSTD,
    MAX_FRAME_BODY_BYTES,
    MAX_HEARTBEAT_S,
    MIN_HEARTBEAT_S,
    SLOW_READER_BYTES,
)  # fmt: skip
from protocol.messages import (
    FROM_CLIENT,
    Bye,
    Contacts,
    Entry,
    Error,
    GoAway,
    History,
    LoggedIn,
    Login,
    Message,
    Ping,
    Pong,
    Pull,
    Pulled,
    Pushed,
    Read,
    Send,
    SendPackage,
    Unread,
    decode_body,
)  # fmt: skip
from refserver.access.connection import Connection, State
from refserver.access.counts import Counts
from refserver.access.deadlines import Deadlines
from refserver.access.lines import Lines
from refserver.access.presence import Users
from refserver.access.turns import Turns
from refserver.access.window import Window
from refserver.face import Service, body_bytes
from refserver.tokens import TokenRefused

log = logging.getLogger(__name__)

REQUESTS_UNDER_WAY = 256
"""Requests of one connection that business may owe an answer; beyond, the connection is not read."""
PAGES_UNDER_WAY = 1
"""The same before a request that is answered with a page of up to 1 MiB: with BACKLOG_BYTES, what a
connection may be owed in pages that it does not read."""
BYTES_UNDER_WAY = 4 << 20
"""The same for what they hold, were they all as large as the next: a kilobyte may inflate to 8 MiB."""
FRAMES_AT_ONCE = 64
"""Of one connection, before it waits for its turn: what is read at once may hold 8,192."""
BACKLOG_BYTES = 512 << 10
"""Answers waiting for a client that does not read; beyond, it is not read either."""
LOGIN_BYTES = 16 << 10
"""The most that somebody unknown may make us keep."""

_PAGES = (Pull, History, Contacts)
_REQUESTS = (Send, SendPackage, Pull, Read, Unread, Contacts, History)


class Verifier(Protocol):
    """What a login needs to know of tokens: `refserver.tokens.TokenSigner`."""

    def verify(self, token: str) -> str:
        """The user it was made out to. Raises TokenRefused."""


class AccessNode:
    """`refserver.face.Node` over TCP; `lines.listen(listener)` opens it."""

    def __init__(
        self,
        name: str,
        service: Service,
        verifier: Verifier,
        *,
        default_heartbeat_s: int = DEFAULT_HEARTBEAT_S,
        pace_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock`: Unix seconds, for what clients are told."""
        self.name = name
        self.lines = Lines(self, pace_s=pace_s)
        self._service = service
        self._verifier = verifier
        self._default_heartbeat_s = default_heartbeat_s
        self._clock = clock
        self._users = Users()
        self._deadlines = Deadlines(self.lines, self._push_again, pace_s=pace_s)
        self._turns = Turns(self._go_on)
        self.requests_under_way = 0
        self.draining = False
        self._logins = self._heartbeats = self._pushes = self._repeats = 0

    @property
    def counts(self) -> Counts:
        """What it has done so far."""
        return Counts(
            self.lines.opened, self._logins, self._heartbeats, self._pushes, self._repeats,
            self._deadlines.cleared,
        )  # fmt: skip

    # -- from the sockets (refserver.access.lines.Owner)

    def opened(self, connection: Connection, now: float) -> None:
        self._deadlines.watch(connection)

    def received(self, connection: Connection, data: bytes, now: float) -> None:
        if data == EMPTY_PING and connection.buffer is None and connection.state is State.READY:
            self._heartbeats += 1
            self.lines.answer(connection, self._pong(connection))
            return
        buffer = connection.buffer
        if buffer is None:
            connection.buffer = FrameBuffer(data, compression=connection.zstd)
        else:
            buffer.feed(data)
        if connection.state is State.NEW:
            connection.under_way += len(data)
        if connection.state is State.ATTACHING:
            # Kept in order until business knows the device. Reading stops only now, with the first of it:
            # somebody who leaves meanwhile is to be noticed.
            self.lines.pause(connection)
        else:
            self._work_off(connection)

    def writable(self, connection: Connection) -> None:
        self._go_on(connection)

    def gone(self, connection: Connection) -> None:
        self.requests_under_way -= connection.under_way if connection.presence is not None else 0
        connection.window = None
        if self.lines.get(connection.number) is not None:
            self._deadlines.watch(connection)
        presence = connection.presence
        if presence is not None:
            connection.presence = None
            self._users.leave(presence, connection)
            self._service.detach(self, presence.user)

    def _work_off(self, connection: Connection) -> None:
        """All whole frames that may be dealt with now."""
        worked_off = 0
        try:
            while (buffer := connection.buffer) is not None and not (
                connection.paused or connection.state is State.ATTACHING
            ):
                frame = buffer.next_frame()
                if frame is None:
                    if buffer.is_empty:
                        connection.buffer = None
                    elif connection.state is State.NEW and connection.under_way > LOGIN_BYTES:
                        raise RemoteProtocolError(
                            f"LOGIN does not fit {LOGIN_BYTES} bytes", ErrorCode.TOO_LARGE
                        )
                    return
                self._take(connection, *frame)
                worked_off += 1
                # A frame larger than it may come was inflated, which takes as long as many others.
                if worked_off == FRAMES_AT_ONCE or len(frame[1]) > MAX_FRAME_BODY_BYTES:
                    self._let_others(connection)
        except RemoteProtocolError as error:
            self._fail(connection, error.code, str(error))

    def _let_others(self, connection: Connection) -> None:
        if connection.state is State.READY and not connection.paused:
            self.lines.pause(connection)
            self._turns.put(connection)

    def _take(self, connection: Connection, kind: int, body: bytes) -> None:
        if kind not in FROM_CLIENT:
            raise RemoteProtocolError(f"frame type 0x{kind:02x} is not for a client to send")
        if connection.state is State.NEW:
            if kind != Login.TYPE:
                raise RemoteProtocolError("LOGIN must be the first frame", ErrorCode.NOT_LOGGED_IN)
            message = decode_body(kind, body)
            assert isinstance(message, Login)
            self._login(connection, message)
            return
        message = decode_body(kind, body)
        if isinstance(message, Ping):
            self._beat(connection, message)
        elif isinstance(message, Pushed):
            if connection.window is not None:
                connection.window.acknowledge(message.version)
        elif isinstance(message, _REQUESTS):
            self._request(connection, message)
        elif isinstance(message, Bye):
            self.lines.finish(connection)
        else:
            raise RemoteProtocolError("LOGIN came twice")
        if self.lines.backlog_bytes(connection) > BACKLOG_BYTES and connection.state is State.READY:
            self.lines.pause(connection)

    def _fail(self, connection: Connection, code: int, text: str) -> None:
        error = Error(code=code, text=text[:1024], fatal=True)
        self.lines.finish(connection, frames.encode(error))

    # -- login and heartbeat

    def _login(self, connection: Connection, login: Login) -> None:
        try:
            user = self._verifier.verify(login.token)
        except TokenRefused as error:
            self._fail(connection, ErrorCode.NOT_LOGGED_IN, str(error))
            return
        connection.state = State.ATTACHING
        connection.under_way = 0
        connection.device = sys.intern(login.device)
        connection.heartbeat_s = self._negotiated(login.heartbeat_s)
        connection.zstd = FEATURE_ZSTD in login.features
        if connection.buffer is not None:
            connection.buffer.compression = connection.zstd
        connection.presence = self._users.join(user, connection)
        self.lines.seen[connection.fd] = time.monotonic()
        self._deadlines.watch(connection)
        self._service.attach(self, connection.number, user, connection.device)

    def _negotiated(self, asked_s: int) -> int:
        return min(max(asked_s or self._default_heartbeat_s, MIN_HEARTBEAT_S), MAX_HEARTBEAT_S)

    def _beat(self, connection: Connection, ping: Ping) -> None:
        if ping.heartbeat_s is not None:
            connection.heartbeat_s = self._negotiated(ping.heartbeat_s)
            self._deadlines.watch(connection)
        self._heartbeats += 1
        self.lines.send(connection, self._pong(connection))

    def _pong(self, connection: Connection) -> bytes:
        presence = connection.presence
        assert presence is not None
        return frames.encode(Pong(presence.newest, connection.heartbeat_s))

    # -- requests

    def _may_ask(self, connection: Connection, message: Message) -> bool:
        limit = PAGES_UNDER_WAY if isinstance(message, _PAGES) else REQUESTS_UNDER_WAY
        if (size_bytes := body_bytes(message)) > BYTES_UNDER_WAY // REQUESTS_UNDER_WAY:
            limit = max(1, BYTES_UNDER_WAY // size_bytes)
        return connection.under_way < limit and not self.draining

    def _request(self, connection: Connection, message: Message) -> None:
        if not self._may_ask(connection, message):
            connection.held = message
            self.lines.pause(connection)
            return
        presence = connection.presence
        assert presence is not None
        connection.under_way += 1
        self.requests_under_way += 1
        self._service.request(self, connection.number, presence.user, connection.device, message)

    def _go_on(self, connection: Connection) -> None:
        """After an answer or a write, or in its turn: whoever had to wait may be read again."""
        if connection.state is not State.READY or connection.waits or self.draining:
            return
        if self.lines.backlog_bytes(connection) > BACKLOG_BYTES:
            return
        held = connection.held
        if held is not None and not self._may_ask(connection, held):
            return
        connection.held = None
        self.lines.resume(connection)
        if held is not None:
            self._request(connection, held)
        self._work_off(connection)

    # -- from business (refserver.face.Node)

    def attached(self, connection: int, newest: int) -> None:
        held = self.lines.get(connection)
        if held is None or held.state is not State.ATTACHING or held.presence is None:
            return
        presence = held.presence
        presence.newest = max(presence.newest, newest)
        held.state = State.READY
        self._logins += 1
        logged_in = LoggedIn(
            user=presence.user,
            session=held.number,
            version=presence.newest,
            heartbeat_s=held.heartbeat_s,
            features=[FEATURE_ZSTD] if held.zstd else [],
            server_time_ms=int(self._clock() * 1000),
            node=self.name,
        )
        self.lines.send(held, frames.encode(logged_in))
        self._go_on(held)

    def reply(self, connection: int, message: Message) -> None:
        held = self.lines.get(connection)
        if held is None or held.state is not State.READY:
            return
        held.under_way -= 1
        self.requests_under_way -= 1
        try:
            frame = frames.encode(message, compressed=held.zstd and isinstance(message, Pulled))
        except LocalProtocolError:
            log.exception("an answer of type 0x%02x to connection %d", message.TYPE, connection)
            frame = frames.encode(Error(code=ErrorCode.SERVER_FAULT, text="the answer does not fit a frame"))
        # If the connection had to wait for this answer, writing it makes it go on: see `writable`.
        self.lines.send(held, frame)

    def push(self, user: str, entry: Entry, except_connection: int | None = None) -> None:
        presence = self._users.get(user)
        if presence is None:
            return
        presence.newest = max(presence.newest, entry.version)
        frame = frames.encode(entry)
        now = time.monotonic()
        for connection in presence.devices():
            # A device that is still attaching learns of this entry from the version it gets with `attached`.
            if connection.state is State.READY and connection.number != except_connection:
                self._push_to(connection, entry, frame, now)

    def _push_to(self, connection: Connection, entry: Entry, frame: bytes, now: float) -> None:
        if self.lines.backlog_bytes(connection) + len(frame) > SLOW_READER_BYTES:
            return
        window = connection.window
        if window is None:
            window = connection.window = Window()
            self._deadlines.watch_pushes(connection, now)
        if window.has_room(len(frame)):
            window.add(entry, len(frame), now)
            self._pushes += 1
            self.lines.send(connection, frame)

    def _push_again(self, connection: Connection, now: float) -> None:
        window = connection.window
        assert window is not None
        if connection.out is not None:
            window.postpone(now)
        for push in window.take_due(now):
            self._pushes += 1
            self._repeats += 1
            self.lines.send(connection, frames.encode(push))

    def tell(self, user: str, message: Message, except_connection: int | None) -> None:
        presence = self._users.get(user)
        if presence is None:
            return
        frame = frames.encode(message)
        for connection in presence.devices():
            backlog_bytes = self.lines.backlog_bytes(connection)
            if (
                connection.state is State.READY
                and connection.number != except_connection
                and backlog_bytes + len(frame) <= SLOW_READER_BYTES
            ):
                self.lines.send(connection, frame)

    def replaced(self, user: str, device: str, except_connection: int | None) -> None:
        presence = self._users.get(user)
        if presence is None:
            return
        for connection in presence.devices():
            # One that still waits for its own `attached` logged in later: it is the one that stays.
            older = connection.state is State.READY and connection.number != except_connection
            if older and connection.device == device:
                self.lines.finish(connection, frames.encode(GoAway(reason="replaced")))

    # -- the end

    def drain(self) -> None:
        """Nobody is accepted and no request is taken up any more; what is under way gets its answers."""
        self.draining = True
        self.lines.stop_listening()
        for connection in self.lines.all():
            if connection.state is not State.CLOSING:
                self.lines.pause(connection)

    def send_away(self, retry_after_ms: Callable[[], int]) -> None:
        """GO_AWAY(draining) to everybody; each is told its own time, so that they come back one by one."""
        for connection in self.lines.all():
            if connection.state is State.NEW:
                self.lines.close(connection)
            else:
                away = GoAway(reason="draining", retry_after_ms=retry_after_ms())
                self.lines.finish(connection, frames.encode(away))

    def close(self) -> None:
        """Every connection and timer ends now."""
        self._deadlines.stop()
        self._turns.close()
        self.lines.shut()
