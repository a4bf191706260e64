"""Random traffic, repeats, reads and restarts against a model that fits on a page."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from business_world import World
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from protocol.messages import (
    Contacts,
    Error,
    History,
    Item,
    PackageSent,
    Pull,
    Read,
    Send,
    SendPackage,
    Unread,
)
from protocol.names import conversation_between, is_group, peer_in

USERS = ("a", "b", "c")
OUTSIDER = "d"
GROUP = "g:all"

senders = st.sampled_from((*USERS, OUTSIDER))
users = st.sampled_from(USERS)
targets = st.sampled_from((*USERS, GROUP))
cids = st.sampled_from([f"c{n}" for n in range(12)])
devices = st.sampled_from(("phone", "tablet"))
bodies = st.binary(max_size=3)


class Model:
    """Inboxes as lists: an entry is (conversation, sequence, sender, body), its version its place from 1."""

    def __init__(self) -> None:
        self.inboxes: dict[str, list[tuple[str, int, str, bytes]]] = {user: [] for user in (*USERS, OUTSIDER)}
        self.sequences: dict[str, int] = {}
        self.read: dict[tuple[str, str], int] = {}

    def store(self, sender: str, to: str, body: bytes) -> None:
        name = to if is_group(to) else conversation_between(sender, to)
        self.sequences[name] = self.sequences.get(name, 0) + 1
        for user in USERS if is_group(name) else name.split(":"):
            self.inboxes[user].append((name, self.sequences[name], sender, body))

    def unread(self, user: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, sequence, sender, _ in self.inboxes[user]:
            if sender != user and sequence > self.read.get((user, name), 0):
                counts[name] = counts.get(name, 0) + 1
        return counts

    def contacts(self, user: str) -> list[tuple[str, int, int]]:
        """(peer, newest sequence, unread), most recent first."""
        newest: dict[str, int] = {}
        for name, sequence, _, _ in self.inboxes[user]:
            newest.pop(name, None)
            newest[name] = sequence
        counts = self.unread(user)
        return [(peer_in(name, user), newest[name], counts.get(name, 0)) for name in reversed(newest)]


class Traffic(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.data_dir = Path(tempfile.mkdtemp())
        self.world = World(self.data_dir)
        self.world.befriend(*USERS, group=GROUP)
        self.model = Model()
        self.answers: dict[tuple[str, str, str], Any] = {}

    def teardown(self) -> None:
        self.world.stop()
        shutil.rmtree(self.data_dir)

    def settle(self, sender: str, device: str, message: Send | SendPackage, answer: Any) -> None:
        """What the model says of an answer, and what the answer does to the model."""
        key = (sender, device, message.cid)
        allowed = message.to != sender and sender != OUTSIDER
        if key in self.answers:
            assert answer == self.answers[key], "a repeat gets the first answer"
        elif not allowed:
            assert isinstance(answer, Error)
            assert answer.code == 403
        else:
            items = message.items if isinstance(message, SendPackage) else [message]
            for item in items:
                self.model.store(sender, message.to, item.body)
            self.answers[key] = answer
            assert answer.version == len(self.model.inboxes[sender])
            last = answer.placed[-1] if isinstance(answer, PackageSent) else answer
            assert last.sequence == self.model.sequences[answer.conversation]

    @rule(sends=st.lists(st.tuples(senders, devices, cids, targets, bodies), min_size=1, max_size=12))
    def burst(self, sends: list[tuple[str, str, str, str, bytes]]) -> None:
        asked = [(user, device, Send(cid, to, "text", body)) for user, device, cid, to, body in sends]
        replies = [self.world.put(user, message, device) for user, device, message in asked]
        self.world.drain()
        for (user, device, message), reply in zip(asked, replies, strict=True):
            self.settle(user, device, message, reply.get(block=False))

    @rule(user=senders, device=devices, cid=cids, to=targets, items=st.lists(bodies, min_size=1, max_size=4))
    def package(self, user: str, device: str, cid: str, to: str, items: list[bytes]) -> None:
        message = SendPackage(cid, to, [Item("text", body) for body in items])
        self.settle(user, device, message, self.world.ask(user, message, device))

    @rule(user=users, peer=targets, points=st.lists(st.integers(0, 30), min_size=1, max_size=3))
    def read(self, user: str, peer: str, points: list[int]) -> None:
        name = peer if is_group(peer) else conversation_between(user, peer)
        answers = self.world.ask_all([(user, Read(name, point)) for point in points])
        for point, answer in zip(points, answers, strict=True):
            if name not in self.model.sequences or all(name != row[0] for row in self.model.inboxes[user]):
                assert answer.code == 404
                continue
            before = self.model.read.get((user, name), 0)
            self.model.read[user, name] = max(before, min(point, self.model.sequences[name]))
            counts = self.model.unread(user)
            assert (answer.sequence, answer.unread, answer.total_unread) == (
                self.model.read[user, name], counts.get(name, 0), sum(counts.values()),
            )  # fmt: skip

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(user=users, after=st.integers(0, 40), limit=st.integers(1, 5))
    def pull(self, user: str, after: int, limit: int) -> None:
        page = self.world.ask(user, Pull(after, limit))
        inbox = self.model.inboxes[user]
        shown = [(entry.conversation, entry.sequence, entry.sender, entry.body) for entry in page.entries]
        assert shown == inbox[after : after + limit]
        assert [entry.version for entry in page.entries] == list(range(after + 1, after + 1 + len(shown)))
        assert (page.newest, page.more) == (len(inbox), after + limit < len(inbox))

    @rule(user=users, peer=targets, before=st.integers(0, 30), limit=st.integers(1, 5))
    def history(self, user: str, peer: str, before: int, limit: int) -> None:
        name = peer if is_group(peer) else conversation_between(user, peer)
        answer = self.world.ask(user, History(name, before, limit))
        if peer == user:
            assert answer.code == 403
            return
        older = [
            (sequence, version)
            for version, (conversation, sequence, _, _) in enumerate(self.model.inboxes[user], 1)
            if conversation == name and (before == 0 or sequence < before)
        ][::-1]
        assert [(entry.sequence, entry.version) for entry in answer.entries] == older[:limit]
        assert answer.more == (len(older) > limit)

    @invariant()
    def counts_and_contacts_agree(self) -> None:
        for user in USERS:
            unread, contacts = self.world.ask_all([(user, Unread()), (user, Contacts(0, 0))])
            counts = {each.conversation: each.unread for each in unread.counts}
            assert counts == self.model.unread(user)
            assert unread.total == sum(counts.values())
            assert [
                (contact.peer, contact.sequence, contact.unread) for contact in contacts.contacts
            ] == self.model.contacts(user)


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
