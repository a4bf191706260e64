"""A business on a real store, with access nodes that write down every note they get."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gevent.event import AsyncResult

from protocol.messages import Entry, Message
from refserver import accounts
from refserver.business import Business
from refserver.storage import Storage

PATIENCE_S = 60.0


class RecordingNode:
    """`notes`: everything told, in order, as tuples that start with the name of the note."""

    def __init__(self, name: str = "n1") -> None:
        self.name = name
        self.notes: list[tuple[Any, ...]] = []
        self.replies: dict[int, AsyncResult] = {}

    def attached(self, connection: int, newest: int) -> None:
        self.notes.append(("attached", connection, newest))

    def reply(self, connection: int, message: Message) -> None:
        self.notes.append(("reply", connection, message))
        if connection in self.replies:
            self.replies[connection].set(message)

    def push(self, user: str, entry: Entry, except_connection: int | None = None) -> None:
        self.notes.append(("push", user, entry, except_connection))

    def tell(self, user: str, message: Message, except_connection: int | None) -> None:
        self.notes.append(("tell", user, message, except_connection))

    def replaced(self, user: str, device: str, except_connection: int | None) -> None:
        self.notes.append(("replaced", user, device, except_connection))

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        """The notes of one kind, without its name."""
        return [note[1:] for note in self.notes if note[0] == kind]


class World:
    """Business, store and one node on `data_dir`; can be torn down and started again on the same files."""

    def __init__(self, data_dir: Path, **options: Any) -> None:
        self.data_dir = data_dir
        self._options = options
        self._connections = itertools.count(1000)
        self.start()

    def start(self) -> None:
        self.node = RecordingNode()
        self.storage = Storage.open(self.data_dir)
        self.business = Business(self.storage, **self._options)

    def stop(self) -> None:
        self.business.close()
        self.storage.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def befriend(self, *users: str, group: str | None = None) -> None:
        """New accounts that are friends of each other, and members of `group`."""
        accounts.add(self.data_dir, users)
        accounts.befriend(self.data_dir, users)
        if group is not None:
            accounts.group(self.data_dir, group, users)

    def put(
        self, user: str, message: Message, device: str = "d", connection: int | None = None
    ) -> AsyncResult:
        """The reply to come; nothing waits."""
        connection = next(self._connections) if connection is None else connection
        reply = self.node.replies[connection] = AsyncResult()
        self.business.request(self.node, connection, user, device, message)
        return reply

    def ask(self, user: str, message: Message, device: str = "d", connection: int | None = None) -> Any:
        """The reply."""
        return self.put(user, message, device, connection).get(timeout=PATIENCE_S)

    def ask_all(self, asked: Iterable[tuple[str, Message]]) -> list[Any]:
        """The replies to requests that reach the server in one turn."""
        replies = [self.put(user, message) for user, message in asked]
        return [reply.get(timeout=PATIENCE_S) for reply in replies]

    def log_in(self, user: str, connection: int, device: str = "d") -> int:
        """The version told."""
        self.business.attach(self.node, connection, user, device)
        self.drain()
        return next(newest for number, newest in self.node.of("attached") if number == connection)

    def drain(self) -> None:
        assert self.business.drain(PATIENCE_S), "everything asked for is answered"
