"""The clients of all devices: they send, read and come back by themselves, and can be brought to rest."""

import random
import secrets
import time
from collections.abc import Callable, Iterable

import gevent
import gevent.event

from chatproof.crashing.chronicle import Chronicle
from chatproof.crashing.people import People
from chatproof.crashing.register import Register
from drivers import events
from drivers.client import Client, State, Surroundings
from drivers.contract import AskRead, AskUnread, Outgoing, OutgoingPackage
from drivers.endpoints import Endpoint
from drivers.events import Event
from drivers.policy import Policy
from drivers.pumps.single import SinglePump
from protocol.messages import Entry, Item
from protocol.names import conversation_between
from scenarios.letters import Stationery
from scenarios.recorder import client_message_id

_GROUP_SHARE = 0.25
_READ_SHARE = 0.2
_PACKAGE_SHARE = 0.15
_PACKAGE_ITEMS = (2, 8)
_MOST_UNFINISHED = 4
_PAUSE_S = 0.012
_BODY_BYTES = 200


class Traffic:
    """`on_acknowledged` is called at each SENT or PACKAGE_SENT, before anything else; `packages`: how many of
    the latter came."""

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        people: People,
        register: Register,
        chronicle: Chronicle,
        stationery: Stationery,
        dice: random.Random,
    ) -> None:
        self._people = people
        self._register = register
        self._chronicle = chronicle
        self._stationery = stationery
        self._dice = dice
        self._run = secrets.token_bytes(4)
        self._newest: dict[int, dict[str, Entry]] = {}
        self._under_way: dict[int, list[bytes]] = {}
        self.packages = 0
        self._next = dict.fromkeys(range(people.devices), 0)
        self._news = gevent.event.Event()
        self._talking: list[gevent.Greenlet[..., None]] = []
        self.on_acknowledged: Callable[[], None] | None = None
        policy = Policy(
            heartbeat_s=10, connect_timeout_s=2.0, login_timeout_s=3.0, retransmit_start_s=1.0,
            reconnect_base_s=0.05, reconnect_cap_s=0.2, dice=random.Random(dice.random()),
        )  # fmt: skip
        shared = Surroundings(endpoints, people, policy, self._observe)
        self.clients = [Client(shared, device) for device in range(people.devices)]
        self._pumps = [SinglePump(client) for client in self.clients]
        for client, pump in zip(self.clients, self._pumps, strict=True):
            client.start(time.monotonic())
            pump.wake()

    # -- talking --

    def talk(self) -> None:
        """All devices send and read from now on."""
        self._talking = [
            gevent.spawn(self._talk, client, pump, random.Random(self._dice.random()))
            for client, pump in zip(self.clients, self._pumps, strict=True)
        ]

    def fall_silent(self) -> None:
        """Nothing new is said; what was said is repeated until it is answered."""
        gevent.killall(self._talking)

    def _recipient(self, device: int, dice: random.Random) -> tuple[str, str]:
        """Whom to write to, and the conversation that it belongs to."""
        if dice.random() < _GROUP_SHARE:
            return self._people.group, self._people.group
        own = self._people.user_of(device)
        peer = dice.choice([name for name in self._people.names if name != own])
        return peer, conversation_between(own, peer)

    def _talk(self, client: Client, pump: SinglePump, dice: random.Random) -> None:
        while True:
            if client.unfinished < _MOST_UNFINISHED:
                newest = self._newest.get(client.index)
                if newest and dice.random() < _READ_SHARE:
                    self._read(client, newest[dice.choice(sorted(newest))])
                else:
                    self._send(client, dice)
                pump.wake()
            gevent.sleep(dice.uniform(0.0, _PAUSE_S))

    def _send(self, client: Client, dice: random.Random) -> None:
        to, conversation = self._recipient(client.index, dice)
        count = dice.randint(*_PACKAGE_ITEMS) if dice.random() < _PACKAGE_SHARE else 1
        n = self._next[client.index]
        self._next[client.index] += count
        first, cid = client.index << 32 | n, client_message_id(self._run, n)
        bodies = [self._body(message, conversation) for message in range(first, first + count)]
        self._under_way[first] = bodies
        self._register.said(bodies, self._people.user_of(client.index), conversation)
        self._chronicle.sending(first, conversation, count)
        outgoing: Outgoing | OutgoingPackage
        if count > 1:
            outgoing = OutgoingPackage(cid, to, tuple(Item("text", body) for body in bodies))
        else:
            outgoing = Outgoing(cid, to, "text", bodies[0], int(time.time() * 1000))
        client.send(outgoing, time.monotonic())

    def _body(self, message: int, conversation: str) -> bytes:
        sender = self._people.user_of(message >> 32)
        return self._stationery.write(message, time.monotonic_ns(), sender, conversation, "text", _BODY_BYTES)

    def _read(self, client: Client, entry: Entry) -> None:
        self._register.read(self._people.user_of(client.index), entry.conversation, entry.sequence)
        client.ask(AskRead(entry.conversation, entry.sequence), time.monotonic())

    # -- hearing --

    def _observe(self, client: Client, event: Event, now: float) -> None:
        if isinstance(event, events.Acked | events.PackageAcked):
            if self.on_acknowledged is not None:
                self.on_acknowledged()
            self._acknowledged(client, event)
        elif isinstance(event, events.Delivered):
            self._newest.setdefault(client.index, {})[event.entry.conversation] = event.entry
        self._chronicle.observe(client, event, now)
        self._news.set()

    def _acknowledged(self, client: Client, event: events.Acked | events.PackageAcked) -> None:
        if event.repeat:
            return
        bodies = self._under_way.pop(client.index << 32 | int(event.cid.rpartition(".")[2]))
        if isinstance(event, events.PackageAcked):
            self.packages += 1
            self._register.acknowledged(bodies, [(each.mid, each.sequence) for each in event.placed])
        else:
            self._register.acknowledged(bodies, [(event.mid or 0, event.sequence or 0)])

    # -- coming to rest --

    def await_rest(self, timeout_s: float) -> list[str]:
        """Everybody is back, and everything is answered; the names of those for whom it is not so in time."""
        return self._await(lambda client: client.state is State.ONLINE and not client.unfinished, timeout_s)

    def await_versions(self, newest: dict[str, int], timeout_s: float) -> list[str]:
        """Every device has been shown its user's inbox up to `newest`; those that have not in time."""
        return self._await(
            lambda client: client.version >= newest.get(self._people.user_of(client.index), 0), timeout_s
        )

    def ask_for_counts(self) -> None:
        """The first device of each user asks for its unread counts."""
        for client, pump in self._first_devices():
            client.ask(AskUnread(), time.monotonic())
            pump.wake()

    def _first_devices(self) -> Iterable[tuple[Client, SinglePump]]:
        return list(zip(self.clients, self._pumps, strict=True))[: self._people.users]

    def _await(self, is_done: Callable[[Client], bool], timeout_s: float) -> list[str]:
        until = time.monotonic() + timeout_s
        while True:
            self._news.clear()
            late = [client for client in self.clients if not is_done(client)]
            left = until - time.monotonic()
            if not late or left <= 0:
                return [self._name(client) for client in late]
            self._news.wait(left)

    def _name(self, client: Client) -> str:
        identity = self._people.identity(client.index)
        return f"{identity.user}/{identity.device}"

    def close(self) -> None:
        """All connections are closed."""
        self.fall_silent()
        for pump in self._pumps:
            pump.close()
