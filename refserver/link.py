"""The face between access and business over a socket: the same notes, written down.

    length (u32, big-endian) | MessagePack array: number of the note, its fields

What one side says in one turn of the hub leaves in one write. A message travels as its type and body, as in a
frame. Both ends are of the same version and trust each other; nothing here is meant for strangers.
"""

import logging
import os
import select
import socket
import struct
from collections import Counter
from collections.abc import Callable

import gevent
import msgspec

from protocol.messages import Entry, Message, decode_body, encode_body
from reactor import sockets
from reactor.poller import Poller
from refserver.access.counts import Counts
from refserver.face import Node, Service

log = logging.getLogger(__name__)

_LENGTH = struct.Struct(">I")
_READ_BYTES = 256 << 10


class Note(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of all notes."""


class Ready(Note, frozen=True, tag=1):
    """The access process listens."""

    pid: int


class Load(Note, frozen=True, tag=2):
    """How many connections are open, by listener in the order in which the process got them; what it did."""

    held: list[int]
    counts: Counts


class Attach(Note, frozen=True, tag=3):
    connection: int
    user: str
    device: str


class Detach(Note, frozen=True, tag=4):
    user: str


class Watch(Note, frozen=True, tag=5):
    user: str


class Request(Note, frozen=True, tag=6):
    connection: int
    user: str
    device: str
    kind: int
    body: bytes


class Attached(Note, frozen=True, tag=17):
    connection: int
    newest: int


class Reply(Note, frozen=True, tag=18):
    connection: int
    kind: int
    body: bytes


class Pushing(Note, frozen=True, tag=19):
    user: str
    entry: Entry
    except_connection: int | None


class Telling(Note, frozen=True, tag=20):
    user: str
    kind: int
    body: bytes
    except_connection: int | None


class Replaced(Note, frozen=True, tag=21):
    user: str
    device: str
    except_connection: int | None


class Drain(Note, frozen=True, tag=22):
    """Answer what is under way, send everybody away, and end."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(
    Ready | Load | Attach | Detach | Watch | Request | Attached | Reply | Pushing | Telling | Replaced | Drain
)


class Links:
    """The channels of a process, looked at together; `pace_s`: see `reactor.poller.Poller`."""

    def __init__(self, *, pace_s: float = 0.0) -> None:
        self._poller = Poller(self._ready, pace_s=pace_s)
        self._channels: dict[int, Channel] = {}

    def add(self, fd: int, channel: "Channel") -> None:
        self._channels[fd] = channel
        self._poller.add(fd)

    def watch(self, fd: int, *, write: bool) -> None:
        self._poller.watch(fd, write=write)

    def remove(self, fd: int) -> None:
        """Before the descriptor is closed."""
        self._poller.remove(fd)
        del self._channels[fd]

    def close(self) -> None:
        """Once all channels are closed. Twice is allowed."""
        self._poller.close()

    def _ready(self, ready: list[tuple[int, int]]) -> None:
        for fd, mask in ready:
            channel = self._channels.get(fd)
            if channel is not None:  # else one before it in this batch has closed it
                channel.ready(mask)


class Channel:
    """Notes over a connected socket. `take(note)` is called in the hub, `ended()` once, at the end."""

    def __init__(
        self,
        connection: socket.socket,
        take: Callable[[Note], None],
        ended: Callable[[], None],
        links: Links,
    ) -> None:
        connection.setblocking(False)
        self._fd = connection.detach()
        self._take = take
        self._ended = ended
        self._in = bytearray()
        self._out: list[bytes] = []
        self._is_blocked = False
        self._is_flush_asked = False
        self._is_closed = False
        self._links = links
        links.add(self._fd, self)

    def send(self, note: Note) -> None:
        """Leaves at the end of this turn; a note to an end that is gone goes nowhere."""
        if self._is_closed:
            return
        data = _ENCODER.encode(note)
        self._out.append(_LENGTH.pack(len(data)))
        self._out.append(data)
        if not self._is_flush_asked and not self._is_blocked:
            self._is_flush_asked = True
            gevent.get_hub().loop.run_callback(self._flush)

    def close(self) -> None:
        """Closing twice is allowed; `ended` is not called any more."""
        if not self._is_closed:
            self._is_closed = True
            self._links.remove(self._fd)
            os.close(self._fd)

    @property
    def is_empty(self) -> bool:
        """True when everything said has been handed to the kernel."""
        return not self._out

    def ready(self, mask: int) -> None:
        """The kernel says so."""
        if mask & select.EPOLLOUT:
            self._flush()
        if mask != select.EPOLLOUT and not self._is_closed:
            self._receive()

    def _flush(self) -> None:
        self._is_flush_asked = False
        if self._is_closed or not self._out:
            return
        data = b"".join(self._out)
        try:
            sent = sockets.write(self._fd, data)
        except OSError:
            self._end()
            return
        self._out = [data[sent:]] if sent < len(data) else []
        if bool(self._out) != self._is_blocked:
            self._is_blocked = bool(self._out)
            self._links.watch(self._fd, write=self._is_blocked)

    def _receive(self) -> None:
        try:
            data = sockets.read(self._fd, _READ_BYTES)
        except OSError:
            data = b""
        if data is None:
            return
        if not data:
            self._end()
            return
        self._in += data
        at = 0
        held = bytes(self._in)
        while len(held) - at >= _LENGTH.size:
            start = at + _LENGTH.size
            end = start + _LENGTH.unpack_from(held, at)[0]
            if len(held) < end:
                break
            at = end
            self._take_one(held[start:end])
        del self._in[:at]

    def _take_one(self, data: bytes) -> None:
        try:
            self._take(_DECODER.decode(data))
        except Exception:
            log.exception("a note between access and business was lost")

    def _end(self) -> None:
        if not self._is_closed:
            self.close()
            self._ended()


class RemoteService:
    """`refserver.face.Service` as an access process sees it. `node` is the one that answers go to. `links` is
    at the pace of the process, which would else be woken by every note between its looks at the sockets."""

    def __init__(
        self,
        connection: socket.socket,
        drain: Callable[[], None],
        ended: Callable[[], None],
        links: Links,
    ) -> None:
        self.node: Node | None = None
        self._drain = drain
        self.channel = Channel(connection, self._take, ended, links)

    def attach(self, node: Node, connection: int, user: str, device: str) -> None:
        self.channel.send(Attach(connection, user, device))

    def detach(self, node: Node, user: str) -> None:
        self.channel.send(Detach(user))

    def watch(self, node: Node, user: str) -> None:
        self.channel.send(Watch(user))

    def request(self, node: Node, connection: int, user: str, device: str, message: Message) -> None:
        self.channel.send(Request(connection, user, device, message.TYPE, encode_body(message)))

    def _take(self, note: Note) -> None:
        node = self.node
        assert node is not None
        match note:
            case Reply(connection, kind, body):
                node.reply(connection, decode_body(kind, body))
            case Pushing(user, entry, except_connection):
                node.push(user, entry, except_connection)
            case Attached(connection, newest):
                node.attached(connection, newest)
            case Telling(user, kind, body, except_connection):
                node.tell(user, decode_body(kind, body), except_connection)
            case Replaced(user, device, except_connection):
                node.replaced(user, device, except_connection)
            case Drain():
                self._drain()


class RemoteNode:
    """`refserver.face.Node` as business sees an access process at the other end of a socket."""

    def __init__(
        self,
        name: str,
        connection: socket.socket,
        service: Service,
        ready: Callable[[int], None],
        ended: Callable[[], None],
        links: Links,
    ) -> None:
        self.name = name
        self.held: list[int] = []
        self.counts = Counts()
        self._service = service
        self._ready = ready
        self._when_ended = ended
        self._attached: Counter[str] = Counter()
        self._channel = Channel(connection, self._take, self._end, links)

    def attached(self, connection: int, newest: int) -> None:
        self._channel.send(Attached(connection, newest))

    def reply(self, connection: int, message: Message) -> None:
        self._channel.send(Reply(connection, message.TYPE, encode_body(message)))

    def push(self, user: str, entry: Entry, except_connection: int | None = None) -> None:
        self._channel.send(Pushing(user, entry, except_connection))

    def tell(self, user: str, message: Message, except_connection: int | None) -> None:
        self._channel.send(Telling(user, message.TYPE, encode_body(message), except_connection))

    def replaced(self, user: str, device: str, except_connection: int | None) -> None:
        self._channel.send(Replaced(user, device, except_connection))

    def drain(self) -> None:
        """The process answers what is under way, sends its clients away, and ends."""
        self._channel.send(Drain())

    def close(self) -> None:
        """Its users are no longer present here."""
        self._channel.close()
        self._forget()

    def _take(self, note: Note) -> None:
        match note:
            case Request(connection, user, device, kind, body):
                self._service.request(self, connection, user, device, decode_body(kind, body))
            case Attach(connection, user, device):
                self._attached[user] += 1
                self._service.attach(self, connection, user, device)
            case Watch(user):
                self._attached[user] += 1
                self._service.watch(self, user)
            case Detach(user):
                self._leave(user)
            case Load(held, counts):
                self.held, self.counts = held, counts
            case Ready(pid):
                self._ready(pid)

    def _leave(self, user: str) -> None:
        self._attached[user] -= 1
        if not self._attached[user]:
            del self._attached[user]
        self._service.detach(self, user)

    def _end(self) -> None:
        self._forget()
        self._when_ended()

    def _forget(self) -> None:
        self.held = []
        for user, count in list(self._attached.items()):
            for _ in range(count):
                self._service.detach(self, user)
        self._attached.clear()
