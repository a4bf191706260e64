"""Group commit: while one batch is stored, the next gathers (rule 1: answers only after the commit)."""

import logging
from collections.abc import Callable

import gevent
from gevent.event import Event

from protocol.errors import ErrorCode
from protocol.messages import Entry, Error
from refserver.business import planning
from refserver.business.fair import FairQueue
from refserver.business.limiting import Buckets
from refserver.business.memory import Memory
from refserver.business.notes import tell
from refserver.business.planning import Delivery, Plan, Request
from refserver.business.presence import Presence
from refserver.business.snowflakes import Snowflakes
from refserver.face import body_bytes
from refserver.storage import Storage, StorageFailed

MAX_BATCH_REQUESTS = 512
MAX_BATCH_BYTES = 1 << 20
"""Of message bodies: whoever sends large ones gets no more into a batch before others are in the next."""

_log = logging.getLogger(__name__)


class Committer:
    """Takes SEND, SEND_PACKAGE and READ; one greenlet plans, stores and publishes them batch by batch."""

    def __init__(
        self, storage: Storage, memory: Memory, presence: Presence, *, friends_only: bool, node_id: int,
        clock: Callable[[], float], buckets: Buckets | None = None,
    ) -> None:  # fmt: skip
        self._storage = storage
        self._memory = memory
        self._presence = presence
        self._friends_only = friends_only
        self._clock = clock
        self._buckets = buckets
        self._mints = Snowflakes(node_id, storage.newest_mid())
        self._changes_seen = -1
        self._pending: FairQueue[Request] = FairQueue(lambda request: body_bytes(request.message))
        self._work = Event()
        self._idle = Event()
        self._idle.set()
        self.batches = 0
        self.messages = 0
        self.failed = 0
        self._greenlet = gevent.spawn(self._run)

    def put(self, request: Request) -> None:
        """Answered after the commit, or with an error; returns at once."""
        self._pending.put(request.user, request)
        self._work.set()
        self._idle.clear()

    @property
    def waiting(self) -> int:
        """Requests that are not in a batch yet."""
        return len(self._pending)

    def drain(self, timeout_s: float) -> bool:
        """True when everything put so far has been answered."""
        return bool(self._idle.wait(timeout_s))

    def close(self) -> None:
        """End the greenlet; what is still pending stays unanswered, so drain first."""
        self._greenlet.kill()

    def _run(self) -> None:
        pending = self._pending
        while True:
            if not pending:
                self._work.clear()
                self._idle.set()
                self._work.wait()
            batch = pending.take(MAX_BATCH_REQUESTS, most_bytes=MAX_BATCH_BYTES)
            done = self._commit(batch)
            for request in reversed(batch[done:]):
                pending.put_back(request.user, request)

    def _commit(self, batch: list[Request]) -> int:
        """How many of `batch` were answered, from its start: all but what exceeded the size of a commit."""
        try:
            plan = self._plan(batch)
            if not plan.rows.is_empty():
                self._storage.write(plan.rows)
        except StorageFailed as failure:
            _log.error("a batch of %d was not stored: %s", len(batch), failure)
            self._refuse(batch, ErrorCode.OVERLOADED, "the store cannot take it now")
            return len(batch)
        except Exception:  # noqa: BLE001 - a bug costs one batch, not the server
            _log.exception("a batch of %d failed", len(batch))
        else:
            self._publish(plan)
            return plan.planned
        if len(batch) == 1:
            self._refuse(batch, ErrorCode.SERVER_FAULT, "the server made a mistake")
            return 1
        # Somebody's request is poison; alone it can hurt nobody else.
        self._memory.clear()
        return sum(self._commit([request]) for request in batch)

    def _plan(self, batch: list[Request]) -> Plan:
        while True:
            wanted = planning.wanted(batch, self._memory)
            self._changes_seen, loaded = self._storage.load(wanted, self._changes_seen)
            if loaded is not None:
                break
            self._memory.conversations.clear()
        planning.remember(loaded, self._memory, self._friends_only)
        plan = Plan(loaded, self._memory, self._mints, int(self._clock() * 1000), self._buckets)
        plan.add(batch)
        return plan

    def _refuse(self, batch: list[Request], code: ErrorCode, text: str) -> None:
        # Sequences were given out that nobody has: the store knows the right ones.
        self._memory.clear()
        self.failed += len(batch)
        for request in batch:
            cid = getattr(request.message, "cid", None)
            tell(request.node.reply, request.connection, Error(code, text, cid))

    def _publish(self, plan: Plan) -> None:
        self.batches += 1
        self.messages += len(plan.deliveries)
        for user, version in plan.versions.items():
            self._memory.versions[user] = version
        for request, answer in plan.replies:
            tell(request.node.reply, request.connection, answer)
        for request, update in plan.tells:
            for node in self._presence.nodes_of(request.user):
                reader = request.connection if node is request.node else None
                tell(node.tell, request.user, update, reader)
        for delivery in plan.deliveries:
            self._push(delivery)

    def _push(self, delivery: Delivery) -> None:
        request, owners, versions, mid, name, sequence, sender, kind, body, at_ms = delivery
        nodes_of = self._presence.nodes_of
        for owner, version in zip(owners, versions, strict=True):
            for node in nodes_of(owner):
                entry = Entry(version, mid, name, sequence, sender, kind, body, at_ms)
                if owner == sender and node is request.node:
                    tell(node.push, owner, entry, request.connection)
                else:
                    tell(node.push, owner, entry)
