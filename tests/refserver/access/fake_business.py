"""Business without rules and without a store: enough for access to be tested alone."""

import itertools
import time
from collections import defaultdict

import gevent

from protocol.limits import MAX_PAGE_BYTES
from protocol.messages import (
    ContactList,
    Contacts,
    Entry,
    Error,
    History,
    HistoryPage,
    Item,
    Message,
    PackageSent,
    Placed,
    Pull,
    Pulled,
    Read,
    ReadUpdate,
    Send,
    SendPackage,
    Sent,
    Unread,
    UnreadCounts,
    UnreadOf,
)  # fmt: skip
from protocol.names import conversation_between
from refserver.face import Node


class FakeBusiness:
    """Answers in the next turn of the hub, like the real one; `hold` keeps answers to requests back."""

    def __init__(self) -> None:
        self.inboxes: dict[str, list[Entry]] = defaultdict(list)
        self.nodes: dict[str, list[Node]] = defaultdict(list)
        self.logins: dict[tuple[str, str], tuple[Node, int]] = {}
        self.requests: list[Message] = []
        self.hold = False
        self.hold_attach = False
        self._held: list[tuple[Node, int, str, Message]] = []
        self._held_attach: list[tuple[Node, int, str]] = []
        self._mids = itertools.count(1)

    # -- refserver.face.Service

    def attach(self, node: Node, connection: int, user: str, device: str) -> None:
        self.nodes[user].append(node)
        for other in set(map(id, self.nodes[user])):
            at = next(each for each in self.nodes[user] if id(each) == other)
            at.replaced(user, device, connection if at is node else None)
        if self.hold_attach:
            self._held_attach.append((node, connection, user))
        else:
            gevent.get_hub().loop.run_callback(node.attached, connection, len(self.inboxes[user]))

    def detach(self, node: Node, user: str) -> None:
        self.nodes[user].remove(node)

    def watch(self, node: Node, user: str) -> None:
        self.nodes[user].append(node)

    def request(self, node: Node, connection: int, user: str, device: str, message: Message) -> None:
        self.requests.append(message)
        if self.hold:
            self._held.append((node, connection, user, message))
        else:
            gevent.get_hub().loop.run_callback(self._answer, node, connection, user, message)

    # -- for tests

    def release(self) -> None:
        """Everything that was held is answered, in order; later requests are answered at once."""
        self.hold = self.hold_attach = False
        for node, connection, user in self._held_attach:
            node.attached(connection, len(self.inboxes[user]))
        for held in self._held:
            self._answer(*held)
        self._held_attach.clear()
        self._held.clear()

    def put(self, user: str, body: bytes, sender: str = "sender", node: Node | None = None) -> Entry:
        """A new entry in the inbox of `user`, pushed to the nodes that hold them."""
        inbox = self.inboxes[user]
        entry = Entry(
            version=len(inbox) + 1,
            mid=next(self._mids),
            conversation=conversation_between(user, sender),
            sequence=len(inbox) + 1,
            sender=sender,
            kind="text",
            body=body,
            at_ms=time.time_ns() // 1_000_000,
        )
        inbox.append(entry)
        for each in {id(at): at for at in self.nodes[user]}.values():
            each.push(user, entry)
        return entry

    def _answer(self, node: Node, connection: int, user: str, message: Message) -> None:
        node.reply(connection, self._answer_to(user, message))

    def _answer_to(self, user: str, message: Message) -> Message:
        match message:
            case Send(cid=cid, to="nobody"):
                return Error(code=404, text="unknown recipient", cid=cid)
            case Send(cid=cid, to="busy"):
                return Error(code=429, text="1500", cid=cid)
            case Send(cid=cid, to=to, body=body):
                entry = self.put(to, body, sender=user)
                return Sent(cid, entry.mid, entry.conversation, entry.sequence, entry.version, entry.at_ms)
            case SendPackage(cid=cid, to=to, items=items):
                entries = [self.put(to, _body(item), sender=user) for item in items]
                placed = [Placed(entry.mid, entry.sequence) for entry in entries]
                return PackageSent(cid, entries[-1].conversation, placed, entries[-1].version, 1)
            case Pull(after=after, limit=limit):
                inbox = self.inboxes[user]
                page: list[Entry] = []
                for entry in inbox[after : after + limit]:
                    if sum(len(each.body) for each in page) + len(entry.body) > MAX_PAGE_BYTES:
                        break
                    page.append(entry)
                return Pulled(page, len(inbox), after + len(page) < len(inbox))
            case Read(conversation=conversation, sequence=sequence):
                return ReadUpdate(conversation, sequence, 0, 0)
            case Unread():
                return UnreadCounts(3, [UnreadOf("a:b", 3)])
            case Contacts():
                return ContactList([])
            case History(before=before, limit=limit):
                older = [
                    each for each in reversed(self.inboxes[user]) if not before or each.sequence < before
                ]
                return HistoryPage(older[:limit], len(older) > limit)
        raise AssertionError(message)


def _body(item: Item) -> bytes:
    return item.body
