"""Everything that was said and read, and what the server may answer when it is asked about that afterwards.

Pure: fed by the traffic, compared with `looking.State`. Each thing that is wrong is a line for people.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from chatproof.crashing.looking import State
from protocol.messages import Entry
from protocol.names import peer_in

Place = tuple[int, int]
"""Message id and sequence."""
NOWHERE: Place = (0, 0)
"""What is acknowledged for a message that the answer to its package left out: no message has that place."""


@dataclass(slots=True)
class Said:
    """`place` once it was acknowledged; `package`: all bodies that were sent together with it."""

    sender: str
    conversation: str
    package: tuple[bytes, ...]
    place: Place | None = None


@dataclass(slots=True)
class Held:
    """What one user's inbox held when it was last looked at."""

    newest: int = 0
    by_body: dict[bytes, Entry] = field(default_factory=dict)
    last: dict[str, Entry] = field(default_factory=dict)
    received: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


class Register:
    """`parties`: the users of each conversation by name."""

    def __init__(self, parties: Mapping[str, Sequence[str]]) -> None:
        self._parties = parties
        self._said: dict[bytes, Said] = {}
        self._open: list[bytes] = []
        self._read: dict[tuple[str, str], int] = {}
        self._held: dict[str, Held] = defaultdict(Held)
        self.compared = 0

    # -- what happens --

    def said(self, bodies: Sequence[bytes], sender: str, conversation: str) -> None:
        """A message is on its way, or several as a package; no two have the same body."""
        package = tuple(bodies) if len(bodies) > 1 else ()
        for body in bodies:
            self._said[body] = Said(sender, conversation, package)
        self._open += bodies

    def acknowledged(self, bodies: Sequence[bytes], places: Sequence[Place]) -> None:
        """The server answers for a message or a package from now on. Places that are missing are a wrong."""
        for body, place in zip_longest(bodies, places):
            if body is not None:
                self._said[body].place = place or NOWHERE

    def read(self, user: str, conversation: str, sequence: int) -> None:
        """A user has read up to a message; before `compare` that was confirmed."""
        key = (user, conversation)
        self._read[key] = max(self._read.get(key, 0), sequence)

    def known_up_to(self, user: str) -> int:
        """The version from which on `compare` wants to see a user's inbox."""
        return self._held[user].newest

    # -- what has to be true when nothing is under way --

    def compare(self, states: Sequence[State]) -> Iterator[str]:
        """What is wrong with the states of all users, which are as of one moment; nothing if all is right.

        Each message that was acknowledged since the last time is with each of its parties, once, in its
        place; whatever is with one party is with all; versions and sequences go on without a hole; packages
        are whole; contact, count and history agree with the inbox, and the count with what was read.
        """
        for state in states:
            yield from self._take(state)
        yield from self._missing()
        for state in states:
            yield from self._packages(state)
            yield from self._contacts(state)
            yield from self._counts(state)
            yield from self._histories(state)

    def compare_whole(self, states: Sequence[State]) -> Iterator[str]:
        """What is wrong with inboxes that were pulled from the beginning: all is as it was seen before."""
        for state in states:
            seen = {entry.version: entry for entry in self._held[state.user].by_body.values()}
            now = {entry.version: entry for entry in state.tail}
            changed = [version for version in sorted({*seen, *now}) if seen.get(version) != now.get(version)]
            if changed:
                yield (
                    f"{state.user}: {len(changed)} entries of the inbox are not what they were, the first "
                    f"at version {changed[0]}: {_named(seen.get(changed[0]))}, now "
                    f"{_named(now.get(changed[0]))}"
                )

    def _take(self, state: State) -> Iterator[str]:
        held, user = self._held[state.user], state.user
        if state.newest < held.newest:
            yield f"{user}: the inbox ends at version {state.newest}, but it had {held.newest} before"
        versions = [entry.version for entry in state.tail]
        wanted = list(range(state.after + 1, state.newest + 1))
        if versions != wanted:
            odd = sorted({*versions} ^ {*wanted})[:3]
            yield f"{user}: versions {state.after + 1} to {state.newest} are not all there once: {odd}"
        for entry in state.tail:
            yield from self._take_entry(user, held, entry)
        held.newest = state.newest

    def _take_entry(self, user: str, held: Held, entry: Entry) -> Iterator[str]:
        self.compared += 1
        said = self._said.get(entry.body)
        if said is None:
            yield f"{user}: {_named(entry)} is nothing that was said"
            return
        if (said.sender, said.conversation) != (entry.sender, entry.conversation):
            yield f"{user}: {_named(entry)} was said by {said.sender} in {said.conversation}"
        before = held.by_body.get(entry.body)
        if before is not None:
            yield f"{user}: {_named(entry)} is there twice, also as {_named(before)}"
        last = held.last.get(entry.conversation)
        if last is not None and entry.sequence != last.sequence + 1:
            yield f"{user}: {_named(entry)} comes after {_named(last)}"
        held.by_body[entry.body] = entry
        held.last[entry.conversation] = entry
        if entry.sender != user:
            held.received[entry.conversation].append(entry.sequence)

    def _missing(self) -> Iterator[str]:
        for body in self._open:
            said = self._said[body]
            parties = self._parties[said.conversation]
            found = {user: self._held[user].by_body.get(body) for user in parties}
            places = {(entry.mid, entry.sequence) for entry in found.values() if entry is not None}
            without = [user for user, entry in found.items() if entry is None]
            what = f"a message of {said.sender} in {said.conversation}"
            if said.place is not None and without:
                yield f"{what}, acknowledged as {said.place}, is missing at {', '.join(without)}"
            elif places and without:
                yield f"{what}, stored as {min(places)}, is missing at {', '.join(without)}"
            if len(places) > 1:
                yield f"{what} has several places: {sorted(places)}"
            elif places and said.place is not None and said.place not in places:
                yield f"{what} was acknowledged as {said.place}, but stored as {min(places)}"
        self._open.clear()

    def _packages(self, state: State) -> Iterator[str]:
        held = self._held[state.user]
        for package in {self._package_of(entry) for entry in state.tail} - {()}:
            entries = [held.by_body.get(body) for body in package]
            versions = [0 if entry is None else entry.version for entry in entries]
            if versions != list(range(versions[0], versions[0] + len(package))):
                yield f"{state.user}: a package of {len(package)} stands at versions {versions}"

    def _package_of(self, entry: Entry) -> tuple[bytes, ...]:
        said = self._said.get(entry.body)
        return () if said is None else said.package

    def _contacts(self, state: State) -> Iterator[str]:
        last = self._held[state.user].last
        wanted = {peer_in(name, state.user): (entry.mid, entry.sequence) for name, entry in last.items()}
        listed = {contact.peer: (contact.mid, contact.sequence) for contact in state.contacts}
        for peer in sorted({*wanted, *listed}):
            if wanted.get(peer) != listed.get(peer):
                yield (
                    f"{state.user}: the contact {peer} points to {listed.get(peer)}, the newest message is "
                    f"{wanted.get(peer)}"
                )

    def _counts(self, state: State) -> Iterator[str]:
        user = state.user
        received = self._held[user].received
        in_contact = {contact.peer: contact.unread for contact in state.contacts}
        for name in sorted({*received, *state.counts}):
            sequences = sorted(received.get(name, ()))
            point = self._read.get((user, name), 0)
            expected = len(sequences) - bisect_right(sequences, point)
            told, beside = state.counts.get(name, 0), in_contact.get(peer_in(name, user), 0)
            if not expected == told == beside:
                yield (
                    f"{user}: {told} unread in {name}, {beside} in the contact, expected {expected}: "
                    f"{len(sequences)} received, read up to sequence {point}"
                )
        total = sum(state.counts.values())
        if state.total != total:
            yield f"{user}: {state.total} unread in all, but the counts sum to {total}"

    def _histories(self, state: State) -> Iterator[str]:
        tails: dict[str, list[Entry]] = defaultdict(list)
        for entry in state.tail:
            tails[entry.conversation].append(entry)
        for name, entries in tails.items():
            inbox = [(entry.mid, entry.sequence) for entry in entries]
            history = [(entry.mid, entry.sequence) for entry in state.histories.get(name, ())]
            common = min(len(inbox), len(history))
            if not common or history[-common:] != inbox[-common:]:
                yield f"{state.user}: the history of {name} ends otherwise than its part of the inbox"


def _named(entry: Entry | None) -> str:
    if entry is None:
        return "nothing"
    return f"message {entry.mid} ({entry.conversation}, sequence {entry.sequence}, version {entry.version})"
