"""The service that access nodes talk to (`refserver.face.Service`)."""

import time
from collections.abc import Callable
from functools import partial

from protocol.errors import ErrorCode
from protocol.messages import Contacts, Error, History, Message, Pull, Read, Send, SendPackage, Unread
from refserver.business.answering import (
    MAX_LOGINS,
    MAX_QUESTIONS,
    MAX_QUESTIONS_OF_ONE,
    Login,
    Turns,
    answer_logins,
    answer_questions,
)
from refserver.business.committing import Committer
from refserver.business.limiting import Buckets, RateLimit
from refserver.business.memory import Memory
from refserver.business.planning import Request
from refserver.business.presence import Presence
from refserver.face import Node
from refserver.storage import Storage


class Business:
    """Decides everything about messages. Every call returns at once and is answered through the node.

    `friends_only`: users who are not friends may not write to each other. `clock` gives Unix seconds. One
    Business to a data directory: it is the only one that adds to inboxes; relations may change beside it.
    `rate_limit`: what each user may send; None for as much as the server can take.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        friends_only: bool = True,
        node_id: int = 0,
        clock: Callable[[], float] = time.time,
        rate_limit: RateLimit | None = None,
    ) -> None:
        memory = Memory()
        self._presence = Presence()
        self._committer = Committer(
            storage, memory, self._presence, friends_only=friends_only, node_id=node_id, clock=clock,
            buckets=None if rate_limit is None else Buckets(rate_limit),
        )  # fmt: skip
        self._logins: Turns[Login] = Turns(
            partial(answer_logins, storage, memory, self._presence), MAX_LOGINS
        )
        self._questions: Turns[Request] = Turns(
            partial(answer_questions, storage), MAX_QUESTIONS, of_one=MAX_QUESTIONS_OF_ONE
        )

    def attach(self, node: Node, connection: int, user: str, device: str) -> None:
        """A verified login: see `Service.attach`."""
        self._presence.add(user, node)
        self._logins.put(user, (node, connection, user, device))

    def watch(self, node: Node, user: str) -> None:
        """From now on `node` gets the user's pushes."""
        self._presence.add(user, node)

    def detach(self, node: Node, user: str) -> None:
        """Ends one `attach` or `watch`."""
        self._presence.remove(user, node)

    def request(self, node: Node, connection: int, user: str, device: str, message: Message) -> None:
        """See `Service.request`; one `reply`, 400 for a message that is none of a user's requests."""
        request = Request(node, connection, user, device, message)
        kind = type(message)
        if kind in _COMMITTED:
            self._committer.put(request)
        elif kind in _ANSWERED:
            self._questions.put(user, request)
        else:
            node.reply(connection, Error(ErrorCode.MALFORMED, f"{kind.__name__} is not a request"))

    def drain(self, timeout_s: float) -> bool:
        """True when everything asked for so far is committed and answered, False after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        queues = (self._committer, self._questions, self._logins)
        return all(queue.drain(max(deadline - time.monotonic(), 0)) for queue in queues)

    def close(self) -> None:
        """Stop; the storage stays the caller's. What is pending stays unanswered, so drain first."""
        for queue in (self._committer, self._questions, self._logins):
            queue.close()

    def stats(self) -> dict[str, int]:
        """Totals since the start: `messages` stored, `batches` committed, `failed` requests of batches that
        were not; now: `waiting` requests, `users` present."""
        committer = self._committer
        return {
            "messages": committer.messages,
            "batches": committer.batches,
            "failed": committer.failed,
            "waiting": committer.waiting,
            "users": len(self._presence),
        }


_COMMITTED = frozenset({Send, SendPackage, Read})
_ANSWERED = frozenset({Pull, Unread, Contacts, History})
