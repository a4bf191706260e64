"""Connections as descriptors: accepting, reading, writing, back pressure, closing. Knows no message.

One epoll set, one handler, a table indexed by descriptor. What a connection sends in one batch leaves in one
write. Closing lingers: the last frame must not be destroyed by a reset because the peer was still talking.
"""

import logging
import os
import select
import socket
import time
from array import array
from collections.abc import Callable
from typing import Protocol

import gevent

from reactor import sockets
from reactor.poller import Poller
from refserver.access.acceptor import Acceptor, end_sending
from refserver.access.carriers.kinds import Carrying
from refserver.access.connection import Connection, Outbox, State

log = logging.getLogger(__name__)

LINGER_S = 2.0
OWN_WORDS_BYTES = 64 << 10
"""Backlog beyond which a connection whose carrier has something to answer is not read any more."""
_FD_BITS = 24
_FD_MASK = (1 << _FD_BITS) - 1
_GONE = select.EPOLLHUP | select.EPOLLERR


class Owner(Protocol):
    """Whom the bytes are for. Called in the hub; must not wait."""

    def opened(self, connection: Connection, now: float) -> None: ...

    def received(self, connection: Connection, data: bytes, now: float) -> None: ...

    def writable(self, connection: Connection) -> None:
        """The backlog of a paused connection has become shorter."""

    def gone(self, connection: Connection) -> None:
        """Called exactly once, when nothing can be received any more."""


class Lines:
    """`seen[fd]` is the monotonic second of the last sign of life; `held[door]` how many connections are open
    that came in by a door, see `new_door`. `pace_s`: see `reactor.poller.Poller`."""

    __slots__ = (
        "_acceptor", "_answers", "_carried", "_carry", "_dirty", "_door", "_door_of", "_flush_asked",
        "_owner", "_poller", "_serial", "_table", "count", "held", "seen",
    )  # fmt: skip

    def __init__(self, owner: Owner, *, pace_s: float = 0.0) -> None:
        self._owner = owner
        self._poller = Poller(self._handle, pace_s=pace_s)
        self._table: list[Connection | None] = []
        self.seen = array("d")
        self._acceptor = Acceptor(self._poller)
        # By descriptor, of listeners and of connections: plain TCP has no entry in either.
        self._carry: dict[int, Callable[[], Carrying]] = {}
        self._carried: dict[int, Carrying] = {}
        self._door_of: dict[int, int] = {}
        self._door = array("B")
        self.held: list[int] = []
        self._answers: list[tuple[Connection, bytes]] = []
        self._dirty: list[Connection] = []
        self._flush_asked = False
        self._serial = 0
        self.count = 0

    @property
    def opened(self) -> int:
        """How many connections there have been."""
        return self._serial

    # -- listening

    def new_door(self) -> int:
        """The number of a further way in, whose connections are counted in `held`."""
        self.held.append(0)
        return len(self.held) - 1

    def listen(self, listener: socket.socket, carry: Callable[[], Carrying] | None = None) -> int:
        """Connections of `listener` come here, each with a carrier of its own if `carry` makes them; it is
        closed by `stop_listening`. The number of its door."""
        self._reach(listener.fileno())
        door = self._door_of[listener.fileno()] = self.new_door()
        if carry is not None:
            self._carry[listener.fileno()] = carry
        self._acceptor.add(listener)
        return door

    def stop_listening(self) -> None:
        """Nobody is accepted any more; who is connected stays."""
        self._acceptor.stop()
        self._carry.clear()

    def adopt(self, fd: int, since: float, door: int, carrier: Carrying | None, frames: bytes) -> None:
        """A connected socket that does not block, accepted elsewhere at `since`, is this node's from now on,
        and so are the bytes of `frames`, which `carrier` has given out already."""
        if carrier is not None:
            self._carried[fd] = carrier
        connection = self._open(fd, door, since)
        try:
            if carrier is None:
                self._owner.received(connection, frames, since)
            else:
                self._unpacked(connection, carrier, frames, since)
        except OSError:
            self.close(connection)

    def _accept(self, fd: int, now: float) -> None:
        carry = self._carry.get(fd)
        for accepted in self._acceptor.accept(fd):
            if carry is not None:
                self._carried[accepted] = carry()
            self._open(accepted, self._door_of[fd], now)

    def _open(self, fd: int, door: int, now: float) -> Connection:
        self._reach(fd)
        self._serial += 1
        connection = Connection(fd, self._serial << _FD_BITS | fd)
        self._table[fd] = connection
        self.seen[fd] = now
        self.count += 1
        self._door[fd] = door
        self.held[door] += 1
        self._poller.add(fd)
        self._owner.opened(connection, now)
        return connection

    def _reach(self, fd: int) -> None:
        missing = fd + 1 - len(self._table)
        if missing > 0:
            missing = max(missing, len(self._table))
            self._table += [None] * missing
            self.seen.extend([0.0] * missing)
            self._door.extend([0] * missing)

    # -- looking up

    def get(self, number: int) -> Connection | None:
        """The connection of that number while it is not closing."""
        fd = number & _FD_MASK
        connection = self._table[fd] if fd < len(self._table) else None
        if connection is None or connection.number != number:
            return None
        return connection

    def all(self) -> list[Connection]:
        """Every connection, also those that are closing."""
        return [connection for connection in self._table if connection is not None]

    # -- reading

    def look(self, connection: Connection, now: float) -> None:
        """Read once more before a connection is given up: this process may be what was late."""
        try:
            if not connection.paused:
                self._read(connection, now)
                self._write_answers()
        except OSError:
            self.close(connection)

    def pause(self, connection: Connection) -> None:
        """Nothing is read until `resume`: the peer's own send buffer fills instead of our memory."""
        if not connection.paused:
            connection.paused = True
            self._watch(connection)

    def resume(self, connection: Connection) -> None:
        if connection.paused:
            connection.paused = False
            self.seen[connection.fd] = time.monotonic()
            self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        out = connection.out
        self._poller.watch(connection.fd, read=not connection.paused, write=out is not None and out.blocked)

    def _handle(self, ready: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        for fd, mask in ready:
            connection = self._table[fd]
            if connection is None:
                self._accept(fd, now)
                continue
            try:
                if mask & select.EPOLLOUT:
                    self._write(connection)
                if connection.paused:
                    if mask & _GONE:
                        self.close(connection)
                elif mask != select.EPOLLOUT:
                    self._read(connection, now)
            except OSError:
                self.close(connection)
            except Exception:
                log.exception("a fault of this server costs connection %d", connection.number)
                self.close(connection)
        if self._answers:
            self._write_answers()
        if self._dirty:
            self._flush()

    def _read(self, connection: Connection, now: float) -> None:
        fd = connection.fd
        data = sockets.read(fd)
        if data:
            if connection.state is not State.CLOSING:
                # Before LOGIN nothing counts as life: it has to be whole in time, not merely under way.
                if connection.state is not State.NEW:
                    self.seen[fd] = now
                if self._carried and (carrier := self._carried.get(fd)) is not None:
                    self._unpack(connection, carrier, data, now)
                else:
                    self._owner.received(connection, data, now)
        elif data is not None:
            self.close(connection)

    def _unpack(self, connection: Connection, carrier: Carrying, data: bytes, now: float) -> None:
        self._unpacked(connection, carrier, carrier.receive(data), now)

    def _unpacked(self, connection: Connection, carrier: Carrying, frames: bytes, now: float) -> None:
        if frames:
            self._owner.received(connection, frames, now)
        if connection.state is State.CLOSING:
            return
        if carrier.is_over:
            self.finish(connection)
            return
        own_words = carrier.take()
        if own_words:
            self._queue(connection, own_words)
            if self.backlog_bytes(connection) > OWN_WORDS_BYTES:
                self.pause(connection)

    # -- writing

    def backlog_bytes(self, connection: Connection) -> int:
        """What has not been handed to the kernel yet."""
        return 0 if connection.out is None else connection.out.size_bytes

    def send(self, connection: Connection, frame: bytes) -> None:
        """Leaves with the end of this batch, in order."""
        if self._carried:
            frame = self._sealed(connection, frame)
        if frame:
            self._queue(connection, frame)

    def _sealed(self, connection: Connection, frame: bytes) -> bytes:
        carrier = self._carried.get(connection.fd)
        return frame if carrier is None else carrier.seal(frame)

    def _queue(self, connection: Connection, frame: bytes) -> None:
        out = connection.out
        if out is None:
            out = connection.out = Outbox()
        out.chunks.append(frame)
        out.size_bytes += len(frame)
        if not out.marked:
            out.marked = True
            self._dirty.append(connection)
            if not self._flush_asked:
                self._flush_asked = True
                gevent.get_hub().loop.run_callback(self._flush)

    def answer(self, connection: Connection, frame: bytes) -> None:
        """`send` for the only small answer to what was just received: it costs no outbox."""
        if self._carried:
            frame = self._sealed(connection, frame)
        if connection.out is not None:
            self._queue(connection, frame)
        else:
            self._answers.append((connection, frame))

    def _write_answers(self) -> None:
        # After everything was read: writes that follow each other closely find the peer still awake from the
        # one before, and waking it is the dearest part of a write.
        answers, self._answers = self._answers, []
        for connection, frame in answers:
            if self._table[connection.fd] is not connection or connection.state is State.CLOSING:
                continue
            try:
                sent = 0 if connection.out is not None else sockets.write(connection.fd, frame)
            except OSError:
                self.close(connection)
                continue
            if sent < len(frame):
                self._queue(connection, frame[sent:])

    def _flush(self) -> None:
        self._flush_asked = False
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            out = connection.out
            if out is None or not out.marked:
                continue
            out.marked = False
            if out.blocked or self.get(connection.number) is None:
                continue
            try:
                self._write(connection)
            except OSError:
                self.close(connection)

    def _write(self, connection: Connection) -> None:
        out = connection.out
        if out is None:
            return
        while out.chunks:
            data = out.take_write()
            sent = sockets.write(connection.fd, data)
            out.size_bytes -= sent
            if sent < len(data):
                out.chunks.insert(0, data[sent:])
                if sent and connection.paused:
                    self.seen[connection.fd] = time.monotonic()
                break
        self._written(connection, out)

    def _written(self, connection: Connection, out: Outbox) -> None:
        was_blocked, out.blocked = out.blocked, bool(out.chunks)
        if not out.chunks:
            connection.out = None
            out.marked = False
            if connection.state is State.CLOSING:
                end_sending(connection.fd)
        if was_blocked != out.blocked:
            self._watch(connection)
        if connection.paused and connection.state is not State.CLOSING:
            self._owner.writable(connection)

    # -- closing

    def finish(self, connection: Connection, frame: bytes | None = None) -> None:
        """What is queued and then `frame` still go out; after that, or LINGER_S, the connection is closed.
        For its owner it is gone now."""
        if connection.state is State.CLOSING:
            return
        connection.state = State.CLOSING
        connection.buffer = None
        connection.held = None
        self.seen[connection.fd] = time.monotonic()
        self._owner.gone(connection)
        if frame is not None:
            self.send(connection, frame)
        if self._carried and (carrier := self._carried.get(connection.fd)) is not None:
            carrier.close()
            closing_words = carrier.take()
            if closing_words:
                self._queue(connection, closing_words)
        self.resume(connection)
        if connection.out is None:
            end_sending(connection.fd)

    def close(self, connection: Connection) -> None:
        """At once. Closing twice is allowed."""
        fd = connection.fd
        if self._table[fd] is not connection:
            return
        self._table[fd] = None
        self.count -= 1
        self.held[self._door[fd]] -= 1
        if self._carried:
            self._carried.pop(fd, None)
        connection.out = None
        self._poller.remove(fd)
        os.close(fd)
        if connection.state is not State.CLOSING:
            connection.state = State.CLOSING
            connection.buffer = None
            connection.held = None
            self._owner.gone(connection)

    def shut(self) -> None:
        """Everything is closed, the epoll set too."""
        self.stop_listening()
        for connection in self.all():
            self.close(connection)
        self._poller.close()
