"""A server that is killed again and again in the middle of traffic, and what it says afterwards."""

import random
from dataclasses import dataclass, field

import gevent

from conformance.accounts import Block, User
from conformance.clients import Clients
from conformance.packages import package
from conformance.phone import Phone, fresh_cid, log_in
from conformance.target import Target
from drivers.carriers.polling import BAD_GATEWAY
from drivers.pumps.wire import Expected
from protocol.messages import (
    Contact,
    Entry,
    Error,
    Message,
    PackageSent,
    Read,
    ReadUpdate,
    Send,
    SendPackage,
    Sent,
)

ROUNDS = 3
PACKAGE_ITEMS = 6
Points = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Said:
    """One SEND or SENDPACKAGE_ITEMS of the traffic, and its answer; None when the server died before."""

    sender: str
    to: str
    frame: Send | SendPackage
    answers: list[Message] = field(default_factory=list)

    @property
    def bodies(self) -> list[bytes]:
        return [self.frame.body] if isinstance(self.frame, Send) else [item.body for item in self.frame.items]

    @property
    def mids(self) -> list[int]:
        """Of an acknowledged one, in order."""
        answer = self.answers[0]
        if isinstance(answer, PackageSent):
            return [each.mid for each in answer.placed]
        assert isinstance(answer, Sent)
        return [answer.mid]


@dataclass(frozen=True, slots=True)
class State:
    """What the server says of one user after a restart, before anything else happens."""

    user: str
    inbox: list[Entry]
    contacts: list[Contact]
    total: int
    counts: dict[str, int]
    history: dict[str, list[Entry]]


@dataclass(frozen=True, slots=True)
class Crashes:
    """`after`: by round, the state of each user. `said`, `read` (user, conversation → furthest confirmed
    point): everything up to then, by round. `repeats`: what repeating everything said brought, after the
    last round."""

    block: Block
    users: list[User]
    said: list[Said] = field(default_factory=list)
    until: list[int] = field(default_factory=list)
    after: list[dict[str, State]] = field(default_factory=list)
    asked: list[Points] = field(default_factory=list)
    confirmed: list[Points] = field(default_factory=list)
    repeats: list[tuple[Said, Message]] = field(default_factory=list)


def crash_again_and_again(target: Target, block: Block, clients: Clients, dice: random.Random) -> Crashes:
    """Kills the target's server ROUNDS times at random moments; it runs again afterwards."""
    server = target.running_server()
    users = block.members()[:4]
    seen = Crashes(block, users)
    asked: Points = {}
    confirmed: Points = {}
    for _ in range(ROUNDS):
        talking = [
            gevent.spawn(_talk, seen, asked, confirmed, clients, user, random.Random(dice.random()))
            for user in users
        ]
        gevent.sleep(dice.uniform(0.05, 0.2))
        server.kill()
        server.start()
        gevent.joinall(talking, raise_error=True)
        seen.until.append(len(seen.said))
        seen.asked.append(dict(asked))
        seen.confirmed.append(dict(confirmed))
        seen.after.append({user.user: _state(clients, user) for user in users})
    for user in users:
        _repeat_all(seen, clients.phone(user, _DEVICE))
    return seen


_DEVICE = "sender"


def _talk(
    seen: Crashes,
    asked: Points,
    confirmed: Points,
    clients: Clients,
    user: User,
    dice: random.Random,
) -> None:
    """Single messages, packages and reads, without waiting for answers, until the server is gone."""
    wire = clients.wire()
    log_in(wire, user, _DEVICE)
    waiting: dict[str, Said] = {}
    newest: dict[str, int] = {}
    peers = [each.user for each in seen.users if each is not user]

    def take(message: Message) -> None:
        if isinstance(message, Sent | PackageSent):
            waiting[message.cid].answers.append(message)
        elif isinstance(message, Error):
            raise Expected(f"{user.user}: expected SENT or PACKAGE_SENT, got {message}")
        elif isinstance(message, Entry):
            newest[message.conversation] = message.sequence
        elif isinstance(message, ReadUpdate):
            key = (user.user, message.conversation)
            confirmed[key] = max(confirmed.get(key, 0), message.sequence)

    try:
        while True:
            to = dice.choice([*peers, seen.block.group])
            cid = fresh_cid()
            frame: Send | SendPackage
            if dice.random() < 0.4:
                frame = package(cid, to, [f"{cid}/{number}".encode() for number in range(PACKAGE_ITEMS)])
            else:
                frame = Send(cid, to, "text", cid.encode())
            waiting[cid] = Said(user.user, to, frame)
            seen.said.append(waiting[cid])
            wire.send(frame)
            if newest and dice.random() < 0.2:
                name = dice.choice(sorted(newest))
                key = (user.user, name)
                asked[key] = max(asked.get(key, 0), newest[name])
                wire.send(Read(name, newest[name]))
            while sum(not said.answers for said in waiting.values()) > 8:
                message = wire.next()
                if message is None or _is_end(message):
                    return
                take(message)
    except (ConnectionError, BrokenPipeError):
        for message in wire.collect(0.5):
            if not _is_end(message):
                take(message)


def _is_end(message: Message) -> bool:
    """Over polls no connection ends with the server: the next request does not get through."""
    return isinstance(message, Error) and message.code == BAD_GATEWAY


def _state(clients: Clients, user: User) -> State:
    reader = clients.phone(user, "reader")
    inbox = reader.inbox()
    total, counts = reader.unread()
    names = {entry.conversation for entry in inbox}
    history = {name: _whole_history(reader, name) for name in names}
    state = State(user.user, inbox, reader.contacts(), total, counts, history)
    reader.hang_up()
    return state


def _whole_history(reader: Phone, name: str) -> list[Entry]:
    entries: list[Entry] = []
    while True:
        page = reader.history(name, entries[-1].sequence if entries else 0)
        entries += page.entries
        if not page.more:
            return entries[::-1]


def _repeat_all(seen: Crashes, source: Phone) -> None:
    own = [said for said in seen.said if said.sender == source.user]
    for at in range(0, len(own), 50):
        part = own[at : at + 50]
        source.wire.send(*(said.frame for said in part))
        for said in part:
            seen.repeats.append((said, _answer(source, said.frame.cid)))


def _answer(source: Phone, cid: str) -> Message:
    for message in source.told:
        if getattr(message, "cid", None) == cid:
            return message
    return source.expect_one_of((Sent, PackageSent, Error), lambda message: message.cid == cid)
