"""One direction of a proxied connection: source → toxics → sink, with bounded buffers and no greenlet."""

import select
import time
from collections import deque
from typing import TYPE_CHECKING

from chaos.framers import NotFramed
from chaos.framing import Follower
from chaos.pipeline import Pipeline
from chaos.stage import End, Item, Place
from chaos.toxiproxy.toxic import Toxic
from reactor import sockets
from reactor.poller import READABLE, WRITABLE

if TYPE_CHECKING:
    from chaos.toxiproxy.connection import Connection

CHUNK_BYTES = 32 * 1024
BACKLOG_BYTES = 64 * 1024
_GONE = select.EPOLLHUP | select.EPOLLERR


class Link:
    """Reads `source`, writes to the source of its `twin`. Buffers exist only while they hold bytes.

    A source is read only while less than 64 KiB wait for the sink and no toxic is full, so that a slow reader
    slows the writer down instead of filling memory.
    """

    __slots__ = (
        "_armed_for",
        "_backlog",
        "_backlog_bytes",
        "_connection",
        "_end",
        "_follower",
        "_pipeline",
        "_reads",
        "_watched",
        "_writes",
        "direction",
        "failed",
        "received_bytes",
        "sent_bytes",
        "source",
        "twin",
    )

    twin: "Link"

    def __init__(self, connection: "Connection", direction: str, source: int) -> None:
        self.direction = direction
        self.source = source
        self.received_bytes = 0
        self.sent_bytes = 0
        self.failed = False
        self._connection = connection
        self._pipeline: Pipeline | None = None
        self._follower: Follower | None = Follower()
        self._backlog: deque[memoryview] | None = None
        self._backlog_bytes = 0
        self._end: End | None = None
        self._armed_for: float | None = None
        self._watched = False
        self._reads = False
        self._writes = False

    def add_toxic(self, toxic: Toxic) -> None:
        """`toxic`, if it means this client, acts on everything that is not yet on its way to the sink."""
        if not self._is_meant(toxic):
            return
        now = time.monotonic()
        if self._pipeline is None:
            self._pipeline = Pipeline()
        key = self._key(toxic)
        follower = self._follower.copy() if self._follower is not None else None
        place = Place(self._connection.engine.seed, key, follower, toxic.counts, toxic.common)
        stage = toxic.type.stage(toxic.attributes, place, now)
        stage.active = toxic.acts_on(place)
        self._pipeline.append(toxic, stage)

    def update_toxic(self, toxic: Toxic) -> None:
        """Its new attributes and toxicity hold."""
        if self._pipeline is not None and self._is_meant(toxic):
            place = Place(self._connection.engine.seed, f"{self._key(toxic)}/{toxic.updates}", None)
            acts = toxic.acts_on(place)
            self._emit(self._pipeline.update(toxic, toxic.attributes, acts, time.monotonic()))

    def remove_toxic(self, toxic: Toxic) -> None:
        """What it held is on its way."""
        if self._pipeline is not None and self._is_meant(toxic):
            self._emit(self._pipeline.remove(toxic, time.monotonic()))
            if self._pipeline.is_empty and not self._pipeline.ending:
                self._pipeline = None

    def ready(self, mask: int) -> None:
        """The source's descriptor is ready: to be read by this link, to be written by its twin."""
        if mask & WRITABLE:
            self.twin._flush()
        if mask & READABLE and not self._connection.closed:
            if self._reads:
                self._read()
            elif mask & _GONE:
                # Hang-ups are reported over and over whether they are asked for or not. Whoever reads or
                # writes next will find out; until then it is out of the set.
                self._connection.engine.ignore(self.source)
                self._watched = False

    def settle(self) -> None:
        """Have the descriptors watched, and the clock set, for what this link waits for now."""
        if self._connection.closed:
            return
        pipeline = self._pipeline
        if pipeline is not None:
            due = pipeline.wake_at
            if due is not None and (self._armed_for is None or due < self._armed_for):
                self._armed_for = due
                self._connection.engine.alarms.at(due, self._ring)
        self._watch()
        self.twin._watch()

    def _is_meant(self, toxic: Toxic) -> bool:
        return not toxic.clients or toxic.means(self._connection.client)

    def _key(self, toxic: Toxic) -> str:
        return f"{self._connection.key}/{self.direction}/{toxic.name}"

    def _ring(self) -> None:
        if self._connection.closed:
            return
        self._armed_for = None
        if self._pipeline is not None:
            self._emit(self._pipeline.tick(time.monotonic()))
        self.settle()

    def _read(self) -> None:
        try:
            data = sockets.read(self.source, CHUNK_BYTES)
        except OSError:
            data = b""  # a reset is passed on as an end, as the original does
        if data is None:
            return
        self.received_bytes += len(data)
        pipeline = self._pipeline
        if pipeline is not None:
            now = time.monotonic()
            self._emit(pipeline.feed(data, now) if data else pipeline.end(End.EOF, now))
            self.settle()
        elif data:
            self._write(data)
            if self._backlog is not None:
                self.settle()
        else:
            self._emit([End.EOF])
            self.settle()

    def _emit(self, items: list[Item]) -> None:
        """What left the toxics goes to the sink, each chunk in a write of its own."""
        for item in items:
            if self._connection.closed:
                return
            if isinstance(item, End):
                self._end = item
                if item is End.RESET or self._backlog is None:
                    self._connection.close(reset=item is End.RESET)
                return
            self._write(item)

    def _write(self, data: bytes) -> None:
        if self._follower is not None:
            try:
                self._follower.follow(data)
            except NotFramed:
                self._follower = None
        if self._backlog is not None:
            self._backlog.append(memoryview(data))
            self._backlog_bytes += len(data)
            return
        try:
            written = sockets.write(self.twin.source, data)
        except OSError:
            self._fail()
            return
        self.sent_bytes += written
        if written < len(data):
            self._backlog = deque((memoryview(data)[written:],))
            self._backlog_bytes = len(data) - written

    def _flush(self) -> None:
        backlog = self._backlog
        while backlog:
            try:
                written = sockets.write(self.twin.source, backlog[0])
            except OSError:
                self._fail()
                return
            self.sent_bytes += written
            self._backlog_bytes -= written
            if written < len(backlog[0]):
                backlog[0] = backlog[0][written:]
                break
            backlog.popleft()
        else:
            self._backlog = None
            if self._end is not None:
                self._connection.close()
                return
        self.settle()

    def _fail(self) -> None:
        self.failed = True
        self._connection.close()

    def _watch(self) -> None:
        """Ask for what is needed of the source's descriptor, if that changed."""
        pipeline, engine = self._pipeline, self._connection.engine
        reads = (
            self._end is None
            and self._backlog_bytes < BACKLOG_BYTES
            and (pipeline is None or not pipeline.full)
        )
        writes = self.twin._backlog is not None
        if not self._watched:
            if reads or writes:
                engine.add(self.source, self.ready, read=reads, write=writes)
                self._watched = True
        elif reads != self._reads or writes != self._writes:
            engine.watch(self.source, read=reads, write=writes)
        self._reads, self._writes = reads, writes
