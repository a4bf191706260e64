"""Decides a batch: who may say what, and what every party's rows, answers and pushes become.

Nothing here waits or touches the store. A batch is decided as if its reads came first and its sends then, in
the order in which they arrived.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from protocol.errors import ErrorCode
from protocol.limits import KINDS, MAX_MESSAGE_BODY_BYTES
from protocol.messages import (
    Error,
    Item,
    Message,
    PackageSent,
    Placed,
    Read,
    ReadUpdate,
    Send,
    SendPackage,
    Sent,
)
from protocol.names import conversation_between, is_group
from refserver.business.limiting import Buckets
from refserver.business.memory import Conversation, Memory
from refserver.business.snowflakes import Snowflakes
from refserver.face import Node
from refserver.storage.loading import Loaded, ReadKey, Wanted
from refserver.storage.repeats import SendKey
from refserver.storage.writing import Rows

MAX_INBOX_ROWS = 8_000
"""A batch stops growing there, so that messages to large groups do not hold up everything else."""

_log = logging.getLogger(__name__)


class Request(NamedTuple):
    """What a connection asked for."""

    node: Node
    connection: int
    user: str
    device: str
    message: Message


class Delivery(NamedTuple):
    """One stored message, who asked for it, and the version it has in the inbox of each of `owners`."""

    request: Request
    owners: list[str]
    versions: list[int]
    mid: int
    conversation: str
    sequence: int
    sender: str
    kind: str
    body: bytes
    at_ms: int


class _Touched:
    """What a batch adds to one conversation: its newest message, and how many each member sent."""

    __slots__ = ("conversation", "count", "mid", "sent_by")

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.mid = 0
        self.count = 0
        self.sent_by: dict[str, int] = {}


def conversation_of(user: str, to: str) -> str:
    """Name of the conversation that a message of `user` to `to` belongs to."""
    return to if is_group(to) else conversation_between(user, to)


def wanted(requests: Iterable[Request], memory: Memory) -> Wanted:
    """What has to be loaded before `requests` can be planned."""
    sends: set[SendKey] = set()
    reads: set[ReadKey] = set()
    conversations: set[str] = set()
    for _, _, user, device, message in requests:
        if isinstance(message, Read):
            reads.add((user, message.conversation, message.sequence))
            if is_group(message.conversation):
                conversations.add(message.conversation)
        else:
            assert isinstance(message, Send | SendPackage)
            sends.add((user, device, message.cid))
            if is_group(message.to) or ":" not in message.to:
                conversations.add(conversation_of(user, message.to))
    users: set[str] = set()
    unknown: list[str] = []
    for name in conversations:
        conversation = memory.conversations.get(name)
        if conversation is None:
            unknown.append(name)
        else:
            users.update(member for member in conversation.members if memory.versions.get(member) is None)
    return Wanted(list(sends), list(reads), unknown, list(users))


def remember(loaded: Loaded, memory: Memory, friends_only: bool) -> None:
    """Everything of `loaded` that holds beyond this batch is in memory afterwards."""
    for user, version in loaded.versions.items():
        # What is known already is newer or the same: this process is the only one that adds to inboxes.
        if memory.versions.get(user) is None:
            memory.versions[user] = version
    for name, sequence in loaded.newest_sequence.items():
        members = loaded.members.get(name)
        if members is not None:
            memory.conversations[name] = Conversation(name, dict.fromkeys(members), sequence)
        elif not is_group(name):
            pair = tuple(name.split(":"))
            exist = all(user in loaded.versions for user in pair)
            if exist and (name in loaded.friends or not friends_only):
                memory.conversations[name] = Conversation(name, pair, sequence)


class Plan:
    """`rows` to store; then `versions` to remember, `replies`, `tells` and `deliveries`, in this order.

    `planned` counts the requests that fitted in; the others wait for the next batch. Sequences in memory
    have moved already: if the rows are not stored, memory has to be cleared.
    """

    __slots__ = (
        "_answers", "_buckets", "_loaded", "_memory", "_mints", "_now_ms", "_read", "_totals", "_touched",
        "deliveries", "planned", "replies", "rows", "tells", "versions",
    )  # fmt: skip

    def __init__(
        self, loaded: Loaded, memory: Memory, mints: Snowflakes, now_ms: int, buckets: Buckets | None = None
    ) -> None:
        self._loaded = loaded
        self._buckets = buckets
        self._memory = memory
        self._now_ms = now_ms
        self._answers = loaded.first_answers
        self._touched: dict[str, _Touched] = {}
        self._read: dict[tuple[str, str], tuple[int, int]] = {}
        self._totals: dict[str, int] = {}
        self._mints = mints
        self.rows = Rows([], [], [], [])
        self.versions: dict[str, int] = {}
        self.replies: list[tuple[Request, Message]] = []
        self.tells: list[tuple[Request, Message]] = []
        self.deliveries: list[Delivery] = []
        self.planned = 0

    def add(self, requests: Iterable[Request]) -> None:
        """Plan each request until the batch is full. A fault in one is that one's error 500."""
        inbox = self.rows.inbox
        for request in requests:
            if len(inbox) > 6 * MAX_INBOX_ROWS:
                break
            self.planned += 1
            message = request.message
            try:
                answer = self._read_up_to(request, message) if type(message) is Read else self._send(request)
            except Exception:  # noqa: BLE001 - must not take the others of the batch down
                _log.exception("planning a %s of %s", type(message).__name__, request.user)
                cid = getattr(message, "cid", None)
                answer = Error(ErrorCode.SERVER_FAULT, "the server made a mistake", cid)
            self.replies.append((request, answer))
        self._finish_contacts()

    # -- sends

    def _send(self, request: Request) -> Message:
        message = request.message
        assert isinstance(message, Send | SendPackage)
        key = (request.user, request.device, message.cid)
        answer = self._answers.get(key)
        if answer is None:
            items: Sequence[Send | Item]
            items = message.items if isinstance(message, SendPackage) else (message,)
            refusal = self._refusal(request.user, message.to, items)
            if refusal is not None:
                return Error(*refusal, cid=message.cid)
            # Asked last: what was stored before gets its first answer again, however fast it is repeated.
            if self._buckets is not None:
                over = self._buckets.refusal(request.user, len(items), message.cid)
                if over is not None:
                    return over
            answer = self._answers[key] = self._accept(request, items)
        return answer

    def _refusal(self, user: str, to: str, items: Sequence[Send | Item]) -> tuple[ErrorCode, str] | None:
        """Why nothing may be stored (DLV.8), None when it may."""
        if to == user:
            return ErrorCode.NOT_PERMITTED, "a message to yourself"
        name = conversation_of(user, to)
        conversation = self._memory.conversations.get(name)
        if conversation is None:
            if is_group(name) or ":" in to or to not in self._loaded.versions:
                return ErrorCode.UNKNOWN_RECIPIENT, f"nobody is called {to}"
            return ErrorCode.NOT_PERMITTED, f"you and {to} are not friends"
        if user not in conversation.members:
            return ErrorCode.NOT_PERMITTED, f"you are not a member of {to}"
        for item in items:
            if item.kind not in KINDS:
                return ErrorCode.UNKNOWN_KIND, f"unknown kind {item.kind}"
            if len(item.body) > MAX_MESSAGE_BODY_BYTES:
                return ErrorCode.TOO_LARGE, f"a body has at most {MAX_MESSAGE_BODY_BYTES} bytes"
        return None

    def _accept(self, request: Request, items: Sequence[Send | Item]) -> Message:
        """Place the items, adjacent and in order (ORD.4), in the conversation and in every party's inbox."""
        user, device, message = request.user, request.device, request.message
        assert isinstance(message, Send | SendPackage)
        conversation = self._memory.conversations.get(conversation_of(user, message.to))
        assert conversation is not None
        owners = list(conversation.members)
        versions = [self._version(owner) for owner in owners]
        package = type(message) is SendPackage
        name, sequence, now_ms = conversation.name, conversation.sequence, self._now_ms
        placed: list[Placed] = []
        for number, item in enumerate(items, 1):
            sequence += 1
            versions = [version + 1 for version in versions]
            mid = self._mints.mint(now_ms)
            place = number if package else 0
            self.rows.messages += (
                mid, name, sequence, user, device, message.cid, place, item.kind, item.body, now_ms,
            )  # fmt: skip
            for owner, version in zip(owners, versions, strict=True):
                self.rows.inbox += (owner, version, name, owner != user, mid, sequence)
            self.deliveries.append(
                Delivery(request, owners, versions, mid, name, sequence, user, item.kind, item.body, now_ms)
            )
            placed.append(Placed(mid, sequence))
        conversation.sequence = sequence
        self.versions.update(zip(owners, versions, strict=True))
        self._touch(conversation, mid, user, len(placed))
        if package:
            return PackageSent(message.cid, name, placed, self.versions[user], now_ms)
        return Sent(message.cid, mid, name, sequence, self.versions[user], now_ms)

    def _version(self, owner: str) -> int:
        version = self.versions.get(owner)
        if version is None:
            version = self._memory.versions.get(owner)
        return self._loaded.versions[owner] if version is None else version

    def _touch(self, conversation: Conversation, mid: int, sender: str, count: int) -> None:
        touched = self._touched.get(conversation.name)
        if touched is None:
            touched = self._touched[conversation.name] = _Touched(conversation)
        touched.mid = mid
        touched.count += count
        touched.sent_by[sender] = touched.sent_by.get(sender, 0) + count

    def _finish_contacts(self) -> None:
        """One row for each party and conversation, however many messages; own ones are not unread (UNR.2)."""
        for name, touched in self._touched.items():
            mid, sequence, count = touched.mid, touched.conversation.sequence, touched.count
            own = touched.sent_by.get
            for owner in touched.conversation.members:
                self.rows.contacts += (owner, name, mid, sequence, self._now_ms, count - own(owner, 0), 0)

    # -- reads

    def _read_up_to(self, request: Request, message: Read) -> Message:
        """Lower the counts to what lies beyond the point; an older point changes nothing (UNR.2)."""
        user, name = request.user, message.conversation
        state = self._loaded.reads.get((user, name, message.sequence))
        if state is None:
            return self._unreadable(user, name)
        read_sequence, unread = self._read.get((user, name), (state.read_sequence, state.unread))
        total = self._totals.get(user, state.total_unread)
        point = min(message.sequence, state.newest)
        if point <= read_sequence:
            return ReadUpdate(name, read_sequence, unread, total)
        self._read[user, name] = (point, state.beyond)
        total = self._totals[user] = total - unread + state.beyond
        self.rows.reads += (user, name, state.mid, state.newest, state.at_ms, state.beyond, point)
        answer = ReadUpdate(name, point, state.beyond, total)
        self.tells.append((request, answer))
        return answer

    def _unreadable(self, user: str, name: str) -> Message:
        if is_group(name):
            group = self._memory.conversations.get(name)
            foreign = group is not None and user not in group.members
        else:
            foreign = user not in name.split(":")
        if foreign:
            return Error(ErrorCode.NOT_PERMITTED, "not a conversation of yours")
        return Error(ErrorCode.UNKNOWN_RECIPIENT, f"no messages in {name}")
