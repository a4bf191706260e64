"""Logins and reads: whatever came in one turn of the hub costs the store one job."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import gevent
from gevent.event import Event

from protocol.errors import ErrorCode
from protocol.messages import Error
from refserver.business.fair import FairQueue
from refserver.business.memory import Memory
from refserver.business.notes import tell
from refserver.business.planning import Request
from refserver.business.presence import Presence
from refserver.face import Node
from refserver.storage import Storage, StorageFailed

_log = logging.getLogger(__name__)

MAX_LOGINS = 4096
MAX_QUESTIONS = 64
MAX_QUESTIONS_OF_ONE = 2
"""Each answer may be a page of a megabyte, which is held several times while it is made."""

Asked = TypeVar("Asked")

Login = tuple[Node, int, str, str]
"""(node, connection, user, device)"""


class Turns(Generic[Asked]):
    """A queue with one greenlet that hands everything waiting, up to `most` and `of_one` of each user, to
    `answer` together."""

    def __init__(
        self, answer: Callable[[list[Asked]], None], most: int, *, of_one: int | None = None
    ) -> None:
        self._answer = answer
        self._most = most
        self._of_one = of_one
        self._waiting: FairQueue[Asked] = FairQueue()
        self._work = Event()
        self._idle = Event()
        self._idle.set()
        self._greenlet = gevent.spawn(self._run)

    def put(self, user: str, asked: Asked) -> None:
        """Returns at once."""
        self._waiting.put(user, asked)
        self._work.set()
        self._idle.clear()

    def drain(self, timeout_s: float) -> bool:
        """True when everything put so far has been answered."""
        return bool(self._idle.wait(timeout_s))

    def close(self) -> None:
        """End the greenlet."""
        self._greenlet.kill()

    def _run(self) -> None:
        waiting = self._waiting
        while True:
            if not waiting:
                self._work.clear()
                self._idle.set()
                self._work.wait()
            turn = waiting.take(self._most, of_one=self._of_one)
            try:
                self._answer(turn)
            except Exception:  # noqa: BLE001 - a bug costs one turn, not the server
                _log.exception("%d were not answered", len(turn))


def answer_questions(storage: Storage, turn: list[Request]) -> None:
    """Reply to PULL, UNREAD, CONTACTS and HISTORY."""
    try:
        answers = storage.answer([(request.user, request.message) for request in turn])
    except Exception:  # noqa: BLE001 - whatever it is, each connection gets its answer
        _log.exception("%d questions failed", len(turn))
        answers = [Error(ErrorCode.SERVER_FAULT, "the server made a mistake")] * len(turn)
    for request, answer in zip(turn, answers, strict=True):
        tell(request.node.reply, request.connection, answer)


def answer_logins(storage: Storage, memory: Memory, presence: Presence, turn: list[Login]) -> None:
    """Tell each connection the newest committed version of its user.

    Presence has been registered before, and a batch that is being stored has its users in memory with the
    version before it; so whatever is committed after the version told here is pushed after it.
    """
    known = memory.versions.get
    unknown = {user for _, _, user, _ in turn if known(user) is None}
    if unknown:
        for user, version in _versions(storage, unknown).items():
            if known(user) is None:
                memory.versions[user] = version
    for node, connection, user, device in turn:
        if presence.connections_of(user) > 1:
            for other in presence.nodes_of(user):
                tell(other.replaced, user, device, connection if other is node else None)
        tell(node.attached, connection, known(user) or 0)


def _versions(storage: Storage, users: set[str]) -> dict[str, int]:
    while True:
        try:
            return storage.versions(users)
        except StorageFailed as failure:
            # A login cannot be answered with an error here; it is held until the store can be read.
            _log.error("%d logins wait: %s", len(users), failure)
            gevent.sleep(1)
