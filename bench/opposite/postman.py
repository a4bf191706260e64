"""Chat without a store: logins are believed, and a message goes to whoever it is for, at once.

No more than what makes verified round trips possible opposite a swarm: pairs, one inbox version a user, one
sequence a conversation, all in dicts. Nothing is repeated, and nothing is kept.
"""

import time
from collections import Counter

from bench.opposite.counts import Counts
from protocol.frames import FrameBuffer, encode
from protocol.messages import Entry, LoggedIn, Login, Message, Ping, Pong, Send, Sent
from protocol.names import conversation_between
from reactor import sockets


class Postman:
    """`versions`: the newest of each user's inbox; empty until the first message. The token of a login is
    taken for the name of its user."""

    def __init__(self, heartbeat_s: int, counts: Counts) -> None:
        self._heartbeat_s = heartbeat_s
        self._counts = counts
        self._buffers: dict[int, FrameBuffer] = {}
        self._users: dict[int, str] = {}
        self._connections: dict[str, set[int]] = {}
        self._sequences: Counter[str] = Counter()
        self._mid = 0
        self.versions: Counter[str] = Counter()

    def receive(self, fd: int, data: bytes) -> None:
        """All whole frames in it are answered. Raises RemoteProtocolError, OSError."""
        buffer = self._buffers.get(fd)
        if buffer is None:
            buffer = FrameBuffer(data)
        else:
            buffer.feed(data)
        while (message := buffer.next_message()) is not None:
            self._take(fd, message)
        if buffer.is_empty:
            self._buffers.pop(fd, None)
        else:
            self._buffers[fd] = buffer

    def forget(self, fd: int) -> None:
        """The connection has ended."""
        self._buffers.pop(fd, None)
        user = self._users.pop(fd, None)
        if user is not None:
            self._connections[user].discard(fd)

    def _take(self, fd: int, message: Message) -> None:
        if isinstance(message, Ping):
            sockets.write(fd, encode(Pong(self.versions[self._users.get(fd, "")], self._heartbeat_s)))
            self._counts.beats += 1
        elif isinstance(message, Login):
            self._login(fd, message.token)
        elif isinstance(message, Send):
            self._send(fd, message)

    def _login(self, fd: int, user: str) -> None:
        self._users[fd] = user
        self._connections.setdefault(user, set()).add(fd)
        version, now_ms = self.versions[user] if self.versions else 0, time.time_ns() // 1_000_000
        sockets.write(fd, encode(LoggedIn(user, fd, version, self._heartbeat_s, [], now_ms, "postman")))
        self._counts.last_s = time.monotonic()

    def _send(self, fd: int, message: Send) -> None:
        sender, now_ms = self._users[fd], time.time_ns() // 1_000_000
        name = conversation_between(sender, message.to)
        self._mid += 1
        self._sequences[name] += 1
        sequence = self._sequences[name]
        self.versions[sender] += 1
        version = self.versions[sender]
        sockets.write(fd, encode(Sent(message.cid, self._mid, name, sequence, version, now_ms)))
        for user in (sender, message.to):
            if user != sender:
                self.versions[user] += 1
            entry = Entry(
                self.versions[user], self._mid, name, sequence, sender, message.kind, message.body, now_ms
            )
            push = encode(entry)
            for other in self._connections.get(user, ()):
                if other != fd:
                    sockets.write(other, push)
