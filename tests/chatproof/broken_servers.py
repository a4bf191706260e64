"""Reference servers that break one promise, once, under load.

    python broken_servers.py NAME EVIDENCE --data DIR …      serves, prints the line that a server prints

The first message between two friends after the 500th is the broken one (the first to a group, where two are
swapped); what it was lies in EVIDENCE then.
"""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from protocol.messages import Send
from protocol.names import is_group
from refserver import __main__ as program
from refserver.business.committing import Committer
from refserver.business.planning import Delivery, Plan, Request

BROKEN_FROM = 500
NOWHERE = 7
"""A message id that no message has."""

BREAKAGES: dict[str, Callable[[], None]] = {}
_INBOX, _CONTACTS = 6, 7  # columns of the flat rows of a plan


def breakage(breaks: Callable[[], None]) -> Callable[[], None]:
    BREAKAGES[breaks.__name__] = breaks
    return breaks


class Broken:
    """One message that is not treated as it should be, and who it was for."""

    done = False

    def __init__(self, plan: Plan) -> None:
        Broken.done = True
        self.plan = plan
        self.delivery = plan.deliveries.pop()
        self.sender = self.delivery.sender
        self.recipient = next(owner for owner in self.delivery.owners if owner != self.sender)

    def tell(self, **more: Any) -> None:
        """The evidence, for the test to compare the witness with."""
        request, message = self.delivery.request, self.delivery.request.message
        content = {
            "sender": f"{request.user}/{request.device}",
            "n": int(message.cid.rpartition(".")[2]),
            "conversation": self.delivery.conversation,
            "sequence": self.delivery.sequence,
            "recipient": self.recipient,
            **more,
        }
        Path(EVIDENCE).write_text(json.dumps(content))

    def push_to(self, *owners: str, **changed: Any) -> None:
        """The message goes to these, and no others, as if that were right."""
        version = dict(zip(self.delivery.owners, self.delivery.versions, strict=True))
        versions = [version[owner] for owner in owners]
        self.plan.deliveries.append(self.delivery._replace(owners=list(owners), versions=versions, **changed))

    def inbox_row(self, owner: str) -> slice:
        """Where the message stands in the inbox rows of the plan."""
        flat = self.plan.rows.inbox
        starts = range(0, len(flat), _INBOX)
        at = next(i for i in starts if flat[i] == owner and flat[i + 4] == self.delivery.mid)
        return slice(at, at + _INBOX)


def is_due(accepted: int, message: Any) -> bool:
    return not Broken.done and accepted > BROKEN_FROM and type(message) is Send and not is_group(message.to)


def once(breaks: Callable[[Broken], None]) -> None:
    """`breaks` gets the chosen message right after it was planned."""
    accept, accepted = Plan._accept, 0

    @functools.wraps(accept)
    def accept_and_break(self: Plan, request: Request, items: Any) -> Any:
        nonlocal accepted
        accepted += 1
        answer = accept(self, request, items)
        if is_due(accepted, request.message):
            breaks(Broken(self))
        return answer

    Plan._accept = accept_and_break


@breakage
def loses() -> None:
    """The recipient's inbox goes on without it, so that no version is missing."""

    def lose(broken: Broken) -> None:
        del broken.plan.rows.inbox[broken.inbox_row(broken.recipient)]
        broken.plan.versions[broken.recipient] -= 1
        broken.push_to(broken.sender)
        broken.tell()

    once(lose)


@breakage
def leaves_a_hole() -> None:
    """Neither pushed nor found by a pull, though its version is given out."""

    def leave_out(broken: Broken) -> None:
        row = broken.inbox_row(broken.recipient)
        version = broken.plan.rows.inbox[row][1]
        broken.plan.rows.inbox[row.start + 4] = NOWHERE
        broken.push_to(broken.sender)
        broken.tell(version=version)

    once(leave_out)


@breakage
def repeats() -> None:
    """Stored and pushed twice, under two ids, sequences and versions, whatever its cid says."""
    accept, accepted = Plan._accept, 0

    def accept_twice(self: Plan, request: Request, items: Any) -> Any:
        nonlocal accepted
        accepted += 1
        answer = accept(self, request, items)
        if is_due(accepted, request.message):
            broken = Broken(self)
            self.deliveries.append(broken.delivery)
            again = msgspec.structs.replace(request.message, cid=request.message.cid + "'")
            accept(self, request._replace(message=again), (again,))
            broken.tell()
        return answer

    Plan._accept = accept_twice


@breakage
def swaps() -> None:
    """The inbox of one member of a group has two messages of others the other way round."""
    put, add, accepted = Committer.put, Plan.add, 0
    held: list[Request] = []

    def key(request: Request) -> tuple[str, str, str]:
        return request.user, request.device, request.message.cid

    def put_two_together(self: Committer, request: Request) -> None:
        nonlocal accepted
        message = request.message
        if type(message) is not Send:
            put(self, request)
            return
        accepted += 1
        if not held and accepted > BROKEN_FROM and is_group(message.to):
            held.append(request)
        elif len(held) == 1 and key(request) == key(held[0]):
            pass  # sent again, because it is held
        elif len(held) == 1 and message.to == held[0].message.to:
            held.append(request)
            for one in held:
                put(self, one)
        else:
            put(self, request)

    def add_and_swap(self: Plan, requests: list[Request]) -> None:
        add(self, requests)
        if Broken.done or len(held) < 2 or held[1] not in requests:
            return
        at = {key(each.request): place for place, each in enumerate(self.deliveries)}
        first_at, second_at = (at[key(request)] for request in held)
        first, second = Broken.__new__(Broken), Broken.__new__(Broken)
        for broken, place in ((first, first_at), (second, second_at)):
            self.deliveries.append(self.deliveries[place])
            broken.__init__(self)
        senders = {first.sender, second.sender}
        first.recipient = second.recipient = next(
            owner for owner in first.delivery.owners if owner not in senders
        )
        rows, one, other = self.rows.inbox, *(each.inbox_row(first.recipient) for each in (first, second))
        rows[one.start + 4 : one.stop], rows[other.start + 4 : other.stop] = (
            rows[other.start + 4 : other.stop],
            rows[one.start + 4 : one.stop],
        )
        self.deliveries[second_at : second_at + 1] = _each_to(second, first)
        self.deliveries[first_at : first_at + 1] = _each_to(first, second)
        first.tell(other=second.delivery.sequence)

    Committer.put, Plan.add = put_two_together, add_and_swap


def _each_to(here: Broken, instead: Broken) -> list[Delivery]:
    """What is pushed in place of a delivery: to its recipient the other one, to all others as it is."""
    version = dict(zip(here.delivery.owners, here.delivery.versions, strict=True))
    others = [owner for owner in version if owner != here.recipient]
    return [
        here.delivery._replace(owners=others, versions=[version[owner] for owner in others]),
        instead.delivery._replace(owners=[here.recipient], versions=[version[here.recipient]]),
    ]


@breakage
def counts_one_too_many() -> None:
    """The recipient's unread count goes up by two."""
    add, due = Plan.add, list[Broken]()

    def note(broken: Broken) -> None:
        broken.plan.deliveries.append(broken.delivery)
        due.append(broken)

    def add_and_count(self: Plan, requests: list[Request]) -> None:
        add(self, requests)
        if due:
            broken, flat = due.pop(), self.rows.contacts
            place = [broken.recipient, broken.delivery.conversation]
            at = next(i for i in range(0, len(flat), _CONTACTS) if flat[i : i + 2] == place)
            flat[at + 5] += 1
            broken.tell()

    once(note)
    Plan.add = add_and_count


def _alter(place: int) -> None:
    def alter(broken: Broken) -> None:
        body = bytearray(broken.delivery.body)
        body[place] ^= 1
        broken.plan.rows.messages[-2] = bytes(body)
        broken.push_to(*broken.delivery.owners, body=bytes(body))
        broken.tell()

    once(alter)


@breakage
def alters_the_end() -> None:
    """One bit of the padding is another: the letter still says which it is."""
    _alter(-1)


@breakage
def alters_the_beginning() -> None:
    """One bit of what names the run is another: the letter says nothing any more."""
    _alter(0)


@breakage
def gives_to_a_stranger() -> None:
    """A user of another circle gets it as well."""

    def give(broken: Broken) -> None:
        conversations = broken.plan._memory.conversations
        group = next(
            each
            for each in (*conversations._young.values(), *conversations._old.values())
            if is_group(each.name) and broken.sender not in each.members
        )
        stranger = next(iter(group.members))
        version = broken.plan._version(stranger) + 1
        broken.plan.versions[stranger] = version
        place = (broken.delivery.conversation, True, broken.delivery.mid, broken.delivery.sequence)
        broken.plan.rows.inbox += (stranger, version, *place)
        owners, versions = [*broken.delivery.owners, stranger], [*broken.delivery.versions, version]
        broken.plan.deliveries.append(broken.delivery._replace(owners=owners, versions=versions))
        broken.tell(stranger=stranger)

    once(give)


if __name__ == "__main__":
    NAME, EVIDENCE = sys.argv.pop(1), sys.argv.pop(1)
    BREAKAGES[NAME]()
    sys.exit(program.main())
