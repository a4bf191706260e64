"""What one Locust user stands for: some hundred devices that live, beat and chat together."""

import random
import time
from collections.abc import Callable

import gevent

from drivers.client import Client, State
from drivers.contract import AskRead, AskUnread, Outgoing, OutgoingPackage
from ledger.schema import Event
from protocol.messages import Entry, Item
from protocol.names import GROUP_PREFIX, conversation_between
from scenarios.population import Population
from scenarios.recorder import client_message_id
from scenarios.stage import Stage

_LOOK_AGAIN_S = 0.1
_BEATS_A_TURN = 50
_TURN_S = 0.005
_APART_S = 1.0
"""Between leaving and coming back, for a login that brings what was missed."""
KIND = "text"
PACKAGE = 3
"""How many messages a package has."""


class Cohort:
    """The devices `population.cohort_size * number` and following.

    `chats`: whether they write to each other once `chat` was called; they do so when told to (`send_one`).
    """

    def __init__(self, stage: Stage, number: int, *, chats: bool) -> None:
        self.number = number
        self.chats = chats
        self._stage = stage
        self._population: Population = stage.population
        first = number * stage.population.cohort_size
        self._first = first
        self.clients = [
            Client(stage.surroundings, device)
            for device in range(first, first + stage.population.cohort_size)
        ]
        self._dice = random.Random(f"{stage.options.seed}/{number}")
        self._names: list[str] = []
        self._sent: dict[int, int] = {}
        self._away: set[Client] = set()
        self._present: list[Client] = []
        self._settled = False
        self._offers = stage.surroundings.endpoints[0].dialect.offers
        self._waits_for_silence = False
        self._hearing: set[int] = set()
        self._ahead = 0
        self.chatting = False

    def start(self) -> None:
        """Every device connects, as fast as the pump lets it. Raises AccountsError if there are too few."""
        self._stage.roster.user((self.number + 1) * self._population.users - 1)
        if self.chats:
            self._name_conversations()
        for client in self.clients:
            self._stage.pump.start(client)

    def await_online(self, timeout_s: float) -> bool:
        """True once every device was logged in at the same moment; refused devices are not waited for."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if all(client.state in (State.ONLINE, State.STOPPED) for client in self.clients):
                return True
            gevent.sleep(_LOOK_AGAIN_S)
        return False

    def _name_conversations(self) -> None:
        stage, population = self._stage, self._population
        first_user = self.number * population.users
        self._names = [stage.roster.user(user) for user in range(first_user, first_user + population.users)]
        for at in range(0, population.users, population.circle):
            circle = self._names[at : at + population.circle]
            start = (first_user + at) // population.circle * population.conversations
            for place, name in enumerate(population.conversation_names(circle)):
                stage.recorder.conversations[name] = start + place

    # -- chatting --

    def chat(self) -> None:
        """From now on the cohort sends when asked to, reads, and some of its devices come and go."""
        self._present = list(self.clients)
        self.chatting = True
        leavers = self._dice.sample(self.clients, round(len(self.clients) * self._stage.options.away_share))
        for client in leavers:
            self._leave_later(client)

    def send_one(self, planned: float) -> None:
        """One device that is there writes to a friend or its group; `planned`: when it should have been.

        A package is as many messages at once, for which the next calls do nothing.
        """
        if self._ahead:
            self._ahead -= 1
            return
        stage, population, dice = self._stage, self._population, self._dice
        client = dice.choice(self._present)
        while client in self._away and len(self._away) < len(self._present):
            client = dice.choice(self._present)
        device = client.index
        user = population.user_of(device)
        names, first_user = self._names, self.number * population.users
        sender = names[user - first_user]
        circle = population.circle_of(user)
        if dice.random() < stage.options.group_share:
            conversation = population.conversation_of_group(user)
            name = to = GROUP_PREFIX + names[circle[0] - first_user]
        else:
            peer = dice.choice([other for other in circle if other != user])
            conversation = population.conversation_of_pair(user, peer)
            to = names[peer - first_user]
            name = conversation_between(sender, to)
        count = PACKAGE if dice.random() < stage.options.package_share else 1
        self._ahead = count - 1
        n = self._sent.get(device, 0) + 1
        self._sent[device] = n + count - 1
        first, planned_ns = device << 32 | n, int(planned * 1e9)
        bodies = [
            stage.stationery.write(message, planned_ns, sender, name, KIND, stage.options.body_bytes)
            for message in range(first, first + count)
        ]
        stage.recorder.sending(first, planned_ns, conversation, count)
        now = time.monotonic()
        cid = client_message_id(stage.run, n)
        if count == 1:
            client.send(Outgoing(cid, to, KIND, bodies[0], int(time.time() * 1000)), now)
        else:
            client.send(OutgoingPackage(cid, to, tuple(Item(KIND, body) for body in bodies)), now)
        stage.pump.serve(client, now)

    def delivered(self, client: Client, entry: Entry, now: float) -> None:
        """A device was shown a message; some mark the conversation as read up to it."""
        if self._waits_for_silence:
            self._hearing.add(client.index)
        if self.chatting and self._dice.random() < self._stage.options.read_share:
            client.ask(AskRead(entry.conversation, entry.sequence), now)

    def _leave_later(self, client: Client) -> None:
        away_for = self._stage.options.away_for
        wait_s = self._dice.uniform(0.5, 3.0) * away_for
        self._stage.alarms.at(time.monotonic() + wait_s, lambda: self._leave(client))

    def _leave(self, client: Client) -> None:
        if self.chatting and client.state is State.ONLINE:
            now = time.monotonic()
            self._away.add(client)
            self._stage.recorder.note(client, Event.OFFLINE, now)
            self._stage.pump.leave(client)
            self._stage.alarms.at(now + self._stage.options.away_for, lambda: self._come_back(client))
        elif self.chatting:
            self._leave_later(client)

    def _come_back(self, client: Client) -> None:
        if client in self._away:
            self._away.discard(client)
            self._stage.recorder.note(client, Event.ONLINE, time.monotonic())
            self._stage.pump.start(client)
            if self.chatting:
                self._leave_later(client)

    # -- the end --

    def settle(self, timeout_s: float) -> None:
        """Everybody comes back, gets an answer for every send, and pulls until the version stands still; or,
        where there are no versions, waits until nothing comes any more.

        Each device of a cohort that chats then is in the ledger as settled or unsettled, and each user's
        unread counts as the server reports them. Blocks the calling greenlet; a second call returns at once.
        """
        if self._settled:
            return
        self._settled = True
        chatted, self.chatting = self.chatting, False
        until = time.monotonic() + timeout_s
        for client in list(self._away):
            self._come_back(client)
        self._until(lambda client: client.state is State.ONLINE and not client.unfinished, until)
        if not self.chats:
            return  # nothing was said to it that it could have missed
        if "versions" in self._offers:
            # The answer to a heartbeat sent after the last acknowledgement carries the final version. Twice,
            # because the first answer may belong to a heartbeat that was under way before.
            self._beat_twice(until)
        else:
            self._wait_for_silence(until)
        if chatted and "unread" in self._offers:
            self._ask_unread()
            self._until(lambda client: not client.unfinished, until)
        now = time.monotonic()
        for client in self.clients:
            done = self._is_in_step(client) and not client.unfinished and client.index not in self._hearing
            event = Event.SETTLED if done else Event.UNSETTLED
            self._stage.recorder.note(client, event, now, version=client.version)

    def _beat_twice(self, until: float) -> None:
        for _ in range(2):
            self._beat_all()
            self._until(self._is_in_step, until)

    def _wait_for_silence(self, until: float) -> None:
        """No device was brought anything between two heartbeats, after one more login where a login brings
        what was missed."""
        self._waits_for_silence = True
        if "offline" in self._offers:
            # Not while what came meanwhile is still on its way to those who have just come back.
            self._beat_twice(until)
            self._log_in_again(until)
        while True:
            self._hearing.clear()
            self._beat_twice(until)
            if not self._hearing or time.monotonic() >= until:
                return

    def _log_in_again(self, until: float) -> None:
        again = self._reachable()
        self._in_turns(again, self._stage.pump.leave)
        # A server that hears of the new connection first takes the old one over, with what is under way.
        gevent.sleep(_APART_S)
        self._in_turns(again, self._stage.pump.start)
        self._until(lambda client: client.state is State.ONLINE, until)

    def close(self) -> None:
        """Every device says goodbye."""
        self.chatting = False
        for client in self.clients:
            self._stage.pump.leave(client)

    def abandon(self) -> None:
        """There will be no settling: the run ends because it could not begin."""
        self._settled = True

    def _beat_all(self) -> None:
        self._in_turns(self._reachable(), self._beat)

    def _beat(self, client: Client) -> None:
        now = time.monotonic()
        self._stage.recorder.awaited.add(client.index)
        client.beat(now)
        self._stage.pump.serve(client, now)

    def _in_turns(self, clients: list[Client], act: Callable[[Client], None]) -> None:
        """All cohorts settle at once: taking turns keeps a hundred thousand heartbeats from colliding."""
        for at in range(0, len(clients), _BEATS_A_TURN):
            with self._stage.turn:
                for client in clients[at : at + _BEATS_A_TURN]:
                    act(client)
                gevent.sleep(_TURN_S)

    def _is_in_step(self, client: Client) -> bool:
        waiting = client.index in self._stage.recorder.awaited
        return client.state is State.ONLINE and not waiting and not client.has_gap

    def _ask_unread(self) -> None:
        now = time.monotonic()
        for client in self.clients[: self._population.users]:
            if client.state is State.ONLINE:
                client.ask(AskUnread(), now)
                self._stage.pump.serve(client, now)

    def _reachable(self) -> list[Client]:
        return [client for client in self.clients if client.state is not State.STOPPED]

    def _until(self, holds: Callable[[Client], bool], until: float) -> None:
        while time.monotonic() < until and not all(holds(client) for client in self._reachable()):
            gevent.sleep(_LOOK_AGAIN_S)
