"""Clients against a small model server, over a path that loses, reorders, delays and disconnects."""

import random
from collections import Counter, defaultdict, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from drivers import events
from drivers.client import Client, State, Surroundings
from drivers.contract import AskRead, Identity, Outgoing
from drivers.endpoints import parse_target
from drivers.events import CloseReason
from drivers.policy import Policy
from protocol import frames, messages
from protocol.messages import Entry, Message
from protocol.names import conversation_between, peer_in

DEVICES = (("ann", "phone"), ("ann", "pad"), ("bob", "phone"))
USERS = ("ann", "bob")
PAGE = 2


class ModelServer:
    """What the protocol demands of a server, without durability, limits or permission."""

    def __init__(self) -> None:
        self.inboxes: dict[str, list[Entry]] = {user: [] for user in USERS}
        self.conversation: list[tuple[str, str, str]] = []
        self.sent: dict[tuple[str, str, str], messages.Sent] = {}
        self.logins: dict[int, tuple[str, str]] = {}
        self.acknowledged: dict[int, int] = {}

    def handle(self, link: int, message: Message) -> list[tuple[int, Message]]:
        if isinstance(message, messages.Login):
            return self._login(link, message)
        if link not in self.logins:
            return []
        user, device = self.logins[link]
        inbox = self.inboxes[user]
        if isinstance(message, messages.Ping):
            return [(link, messages.Pong(len(inbox), 60))]
        if isinstance(message, messages.Pushed):
            self.acknowledged[link] = max(self.acknowledged[link], message.version)
        if isinstance(message, messages.Pull):
            page = inbox[message.after : message.after + PAGE]
            more = message.after + len(page) < len(inbox)
            return [(link, messages.Pulled(page, len(inbox), more))]
        if isinstance(message, messages.Read):
            return [(link, messages.ReadUpdate(message.conversation, message.sequence, 0, 0))]
        if isinstance(message, messages.Send):
            return self._send(link, user, device, message)
        if isinstance(message, messages.Bye):
            self.close(link)
        return []

    def close(self, link: int) -> None:
        self.logins.pop(link, None)

    def push_again(self) -> list[tuple[int, Message]]:
        return [
            (link, messages.Push(*_fields(entry), attempt=2))
            for link, (user, _) in self.logins.items()
            for entry in self.inboxes[user][self.acknowledged[link] :]
        ]

    def _login(self, link: int, login: messages.Login) -> list[tuple[int, Message]]:
        user = login.token
        replaced = [old for old, who in self.logins.items() if who == (user, login.device)]
        for old in replaced:
            del self.logins[old]
        newest = len(self.inboxes[user])
        self.logins[link] = user, login.device
        self.acknowledged[link] = newest
        answer = messages.LoggedIn(user, link, newest, 60, [], 0, "model")
        return [(link, answer), *((old, messages.GoAway("replaced")) for old in replaced)]

    def _send(self, link: int, user: str, device: str, send: messages.Send) -> list[tuple[int, Message]]:
        known = self.sent.get((user, device, send.cid))
        if known is not None:
            return [(link, known)]
        self.conversation.append((user, device, send.cid))
        mid = len(self.conversation)
        name = conversation_between(user, send.to)
        out: list[tuple[int, Message]] = []
        for party in USERS:
            entry = Entry(
                len(self.inboxes[party]) + 1, mid, name, mid, user, send.kind, send.body, send.sent_at_ms
            )
            self.inboxes[party].append(entry)
            out += [(to, entry) for to, (who, _) in self.logins.items() if who == party and to != link]
        answer = messages.Sent(send.cid, mid, name, mid, len(self.inboxes[user]), 0)
        self.sent[user, device, send.cid] = answer
        return [(link, answer), *out]


def _fields(entry: Entry) -> list[object]:
    return [getattr(entry, name) for name in entry.__struct_fields__]


class Roster:
    def identity(self, index: int) -> Identity:
        user, device = DEVICES[index]
        return Identity(user, device, user)


device = st.integers(0, len(DEVICES) - 1)
direction = st.sampled_from(["up", "down"])


class ClientsOverABadPath(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.server = ModelServer()
        self.heard: list[list[events.Event]] = [[] for _ in DEVICES]
        self.submitted: list[list[str]] = [[] for _ in DEVICES]
        policy = Policy(dice=random.Random(1))
        endpoints = tuple(parse_target(f"chat+tcp://127.0.0.1:{port}") for port in (1, 2))
        surroundings = Surroundings(endpoints, Roster(), policy, self.observe)
        self.clients = [Client(surroundings, index) for index in range(len(DEVICES))]
        self.links = 0
        self.path: dict[str, dict[int, deque[bytes]]] = {"up": {}, "down": {}}
        self.is_dark = False

    def observe(self, client: Client, event: events.Event, now: float) -> None:
        self.heard[client.index].append(event)
        # An application that answers from within its observer, as echo users and readers do.
        if isinstance(event, events.Delivered) and event.entry.body == b"answer me":
            self.submit(client, b"")
        if isinstance(event, events.Delivered) and event.entry.mid % 3 == 0:
            client.ask(AskRead(event.entry.conversation, event.entry.sequence), now)

    # -- a pump of nothing but lists

    def serve(self, client: Client) -> None:
        if client.link >= 0:
            out = client.take()
            at = 0
            while at < len(out):
                size = frames.whole_frame_bytes(out, at)
                assert size is not None
                self.path["up"][client.link].append(out[at : at + size])
                at += size
            if client.state in (State.STOPPED, State.WAITING):
                # A LOGIN that overtakes the one of the next connection would make the server replace that.
                if client.link not in self.server.logins:
                    self.path["up"][client.link].clear()
                client.link = -1
        if client.link < 0 and client.state is State.CONNECTING:
            client.dialled(self.now)
            if self.is_dark:
                client.connect_failed("dark", self.now)
                return
            client.link = self.links
            self.links += 1
            self.path["up"][client.link] = deque()
            self.path["down"][client.link] = deque()
            client.connected(self.now)
            self.serve(client)

    def carry(self, way: str, link: int) -> None:
        frame = self.path[way][link].popleft()
        if way == "up":
            message = frames.FrameBuffer(frame).next_message()
            assert message is not None
            self.answer(self.server.handle(link, message))
        for client in self.clients:
            if way == "down" and client.link == link:
                client.receive(frame[:3], self.now)
                client.receive(frame[3:], self.now)
                self.serve(client)

    def answer(self, to_send: list[tuple[int, Message]]) -> None:
        for link, message in to_send:
            self.path["down"][link].append(frames.encode(message))

    def submit(self, client: Client, body: bytes) -> None:
        own = self.submitted[client.index]
        cid = f"{client.index}-{len(own)}"
        own.append(cid)
        peer = "bob" if DEVICES[client.index][0] == "ann" else "ann"
        client.send(Outgoing(cid, peer, "text", body, 0), self.now)

    def busy(self, way: str) -> list[int]:
        return [link for link, queue in self.path[way].items() if queue]

    # -- what may happen

    @initialize()
    def log_in(self) -> None:
        for client in self.clients:
            client.start(self.now)
            self.serve(client)
        self.carry_everything()

    @rule(which=device)
    def start(self, which: int) -> None:
        self.clients[which].start(self.now)
        self.serve(self.clients[which])

    @rule(which=device, at_once=st.booleans())
    def leave_and_perhaps_come_back(self, which: int, at_once: bool) -> None:
        self.clients[which].leave(self.now)
        if at_once:
            self.clients[which].start(self.now)
        self.serve(self.clients[which])

    @rule(which=device, body=st.sampled_from([b"", b"hello", b"answer me"]))
    def send(self, which: int, body: bytes) -> None:
        self.submit(self.clients[which], body)
        self.serve(self.clients[which])

    @rule(which=device)
    def beat(self, which: int) -> None:
        self.clients[which].beat(self.now)
        self.serve(self.clients[which])

    @rule(way=direction, count=st.integers(1, 8), data=st.data())
    def carry_some(self, way: str, count: int, data: st.DataObject) -> None:
        for _ in range(count):
            if links := self.busy(way):
                self.carry(way, data.draw(st.sampled_from(links)))

    @rule()
    def carry_everything(self) -> None:
        while links := [(way, link) for way in ("up", "down") for link in self.busy(way)]:
            for way, link in links:
                self.carry(way, link)

    @rule(way=direction, data=st.data())
    def lose(self, way: str, data: st.DataObject) -> None:
        if links := self.busy(way):
            self.path[way][data.draw(st.sampled_from(links))].popleft()

    @rule(way=direction, data=st.data())
    def reorder(self, way: str, data: st.DataObject) -> None:
        if links := self.busy(way):
            queue = self.path[way][data.draw(st.sampled_from(links))]
            queue.rotate(data.draw(st.integers(0, len(queue) - 1)))

    @rule(way=direction, data=st.data())
    def repeat(self, way: str, data: st.DataObject) -> None:
        if links := self.busy(way):
            queue = self.path[way][data.draw(st.sampled_from(links))]
            if len(queue[0]) > frames.HEADER_BYTES and queue[0][1] in (messages.Send.TYPE, Entry.TYPE):
                queue.append(queue[0])

    @rule(which=device, notices=st.booleans())
    def disconnect(self, which: int, notices: bool) -> None:
        client = self.clients[which]
        if client.link >= 0:
            self.server.close(client.link)
            self.path["up"][client.link].clear()
            self.path["down"][client.link].clear()
            if notices:
                client.lost(CloseReason.RESET, "", self.now)
                self.serve(client)

    @rule(which=device)
    def drain(self, which: int) -> None:
        link = self.clients[which].link
        if link in self.server.logins:
            self.server.close(link)
            self.answer([(link, messages.GoAway("draining", 700))])

    @precondition(lambda self: not self.is_dark)
    @rule()
    def darken(self) -> None:
        self.is_dark = True

    @rule()
    def push_again(self) -> None:
        self.answer(self.server.push_again())

    @rule(seconds=st.sampled_from([0.3, 2.0, 7.0, 50.0, 400.0]), flowing=st.booleans())
    def pass_time(self, seconds: float, flowing: bool) -> None:
        until = self.now + seconds
        while (due := min(client.deadline for client in self.clients)) <= until:
            self.now = max(self.now, due)
            for client in self.clients:
                if client.deadline <= self.now:
                    client.tick(self.now)
                    self.serve(client)
                    assert client.deadline > self.now, "a tick that leaves its deadline comes again for ever"
            if flowing:
                self.carry_everything()
        self.now = until
        if seconds > 100.0:
            self.is_dark = False

    # -- what must hold

    @invariant()
    def versions_are_shown_in_order_and_once(self) -> None:
        for client, heard in zip(self.clients, self.heard, strict=True):
            shown = [event.entry.version for event in heard if isinstance(event, events.Delivered)]
            assert shown == list(range(1, client.version + 1))

    @invariant()
    def every_beat_is_accounted_for(self) -> None:
        for client, heard in zip(self.clients, self.heard, strict=True):
            count = Counter(map(type, heard))
            outstanding = client._beat_sent is not None
            assert count[events.BeatSent] == (
                count[events.Beat] + count[events.BeatMissed] + count[events.BeatAbandoned] + outstanding
            )

    @invariant()
    def no_deadline_is_forgotten(self) -> None:
        for client in self.clients:
            if client.state is State.ONLINE:
                assert client.deadline <= client._next_deadline()
            elif client.state is not State.STOPPED:
                assert client.deadline < float("inf")

    @invariant()
    def nothing_is_given_up(self) -> None:
        for heard in self.heard:
            assert not any(isinstance(event, events.GapSkipped | events.Rejected) for event in heard)

    def teardown(self) -> None:
        self.is_dark = False
        for client in self.clients:
            client.start(self.now)
            self.serve(client)
        for _ in range(200):
            self.carry_everything()
            if all(self.is_settled(client) for client in self.clients):
                break
            self.pass_time(2.0, flowing=True)
        for client in self.clients:
            assert self.is_settled(client), f"{client.state!r}, {client.unfinished} unfinished"
        self.everything_arrived_once()
        self.everything_was_acknowledged_once()

    def is_settled(self, client: Client) -> bool:
        newest = len(self.server.inboxes[DEVICES[client.index][0]])
        return client.state is State.ONLINE and not client.unfinished and client.version == newest

    def everything_arrived_once(self) -> None:
        self.versions_are_shown_in_order_and_once()
        for (user, _), heard in zip(DEVICES, self.heard, strict=True):
            shown = [event.entry for event in heard if isinstance(event, events.Delivered)]
            assert [(e.version, e.mid, e.sender, e.body) for e in shown] == [
                (e.version, e.mid, e.sender, e.body) for e in self.server.inboxes[user]
            ]
            assert {peer_in(entry.conversation, user) for entry in shown} <= set(USERS)

    def everything_was_acknowledged_once(self) -> None:
        stored: dict[tuple[str, str], list[str]] = defaultdict(list)
        for user, device_id, cid in self.server.conversation:
            stored[user, device_id].append(cid)
        for who, heard, submitted in zip(DEVICES, self.heard, self.submitted, strict=True):
            acked = [event.cid for event in heard if isinstance(event, events.Acked) and not event.repeat]
            assert acked == submitted
            assert stored[who] == submitted  # once each, and in the sender's order (ORD.2)


ClientsOverABadPath.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestClientsOverABadPath = ClientsOverABadPath.TestCase
