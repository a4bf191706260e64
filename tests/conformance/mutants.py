"""Reference servers with one thing broken each, as servers of other people are broken.

    python mutants.py NAME --data DIR      serves, prints the line that a server prints

`MUTANTS` says for each which clauses to try, and which of them have to fail: those and no others.
"""

import itertools
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
import msgspec

from protocol import frames
from protocol.errors import ErrorCode
from protocol.messages import (
    ContactList,
    Contacts,
    Error,
    History,
    Message,
    Pong,
    Pull,
    Pushed,
    Send,
    Unread,
    UnreadCounts,
)
from refserver import __main__ as program
from refserver.access.connection import State
from refserver.access.deadlines import Deadlines
from refserver.access.node import AccessNode
from refserver.access.window import Window
from refserver.business import planning
from refserver.business.committing import Committer
from refserver.business.planning import Plan
from refserver.business.snowflakes import Snowflakes
from refserver.storage import Storage


@dataclass(frozen=True)
class Mutant:
    """`tried`: patterns of clauses whose cases are run; `blamed`: those that have to fail."""

    tried: tuple[str, ...]
    blamed: tuple[str, ...]
    breaks: Callable[[], None]


MUTANTS: dict[str, Mutant] = {}


def mutant(*blamed: str, tried: tuple[str, ...]) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(breaks: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[breaks.__name__] = Mutant((*blamed, *tried), blamed, breaks)
        return breaks

    return register


def asked(kind: type[Message], change: Callable[[Any], Message]) -> None:
    """Every question of a kind reaches the store changed."""
    answer = Storage.answer
    Storage.answer = lambda self, questions: answer(
        self, [(user, change(it) if isinstance(it, kind) else it) for user, it in questions]
    )


def answered(kind: type[Message], change: Callable[[Any], Message]) -> None:
    """Every answer to a question of a kind leaves the store changed."""
    answer = Storage.answer
    Storage.answer = lambda self, questions: [
        change(found) if isinstance(question, kind) else found
        for (_, question), found in zip(questions, answer(self, questions), strict=True)
    ]


@mutant("DLV.2", tried=("DLV.4", "UNR.1", "STO.1", "ORD.1"))
def forgets_what_it_has_stored() -> None:
    accept = Plan._accept

    def store_again(self, request, items):
        self._answers = {}
        own = msgspec.structs.replace(request.message, cid=uuid.uuid4().hex)
        answer = accept(self, request._replace(message=own), items)
        return msgspec.structs.replace(answer, cid=request.message.cid)

    send = Plan._send

    def forget(self, request):
        self._answers = {}
        return send(self, request)

    Plan._accept, Plan._send = store_again, forget


@mutant("DLV.2", tried=("DLV.4", "UNR.1", "STO.1"))
def knows_ids_by_user_only() -> None:
    put = Committer.put
    Committer.put = lambda self, request: put(self, request._replace(device="any"))


@mutant("DLV.4", tried=("DLV.2", "UNR.2", "STO.2"))
def skips_a_version_now_and_then() -> None:
    version, turn = Plan._version, itertools.count()
    Plan._version = lambda self, owner: version(self, owner) + (next(turn) % 7 == 6)


@mutant("UNR.2", tried=("UNR.1", "STO.3", "DLV.8"))
def counts_own_messages() -> None:
    touch = Plan._touch
    Plan._touch = lambda self, conversation, mid, user, count: touch(self, conversation, mid, "", count)


@mutant("UNR.2", tried=("UNR.1", "STO.3"))
def takes_a_read_back() -> None:
    read = Plan._read_up_to

    def believe_any_point(self, request, message):
        self._read.clear()
        for key, state in self._loaded.reads.items():
            self._loaded.reads[key] = msgspec.structs.replace(state, read_sequence=-1)
        return read(self, request, message)

    Plan._read_up_to = believe_any_point


@mutant("UNR.1", tried=("UNR.2", "STO.3", "DLV.2"))
def keeps_a_total_that_drifts() -> None:
    # Wrong only with several conversations, as a total kept apart drifts.
    answered(Unread, lambda was: UnreadCounts(was.total - (len(was.counts) > 2), was.counts))


@mutant("DLV.4", "ROM.2", tried=("DLV.3", "STO.2", "UNR.1"))
def pulls_one_too_many() -> None:
    asked(Pull, lambda pull: Pull(max(pull.after - 1, 0), pull.limit))


@mutant("DLV.3", tried=("DLV.5", "ORD.3"))
def never_pushes_again() -> None:
    Window.take_due = lambda self, now: []


@mutant("DLV.3", tried=("DLV.1",))
def pushes_again_what_was_acknowledged() -> None:
    Window.acknowledge = lambda self, version: None


@mutant("ROM.1", tried=("DLV.3", "ROM.2"))
def takes_one_acknowledgement_for_all_devices() -> None:
    take = AccessNode._take

    def acknowledge_all(self, connection, kind, body):
        take(self, connection, kind, body)
        if kind == Pushed.TYPE and connection.presence is not None:
            version = msgspec.msgpack.decode(body)[0]
            for each in connection.presence.devices():
                if each.window is not None:
                    each.window.acknowledge(version)

    AccessNode._take = acknowledge_all


@mutant("DLV.5", tried=("DLV.3", "DLV.4", "HBT.3"))
def beats_with_the_version_of_the_login() -> None:
    attached = AccessNode.attached
    told: dict[int, int] = {}

    def remember(self, connection, newest):
        told[connection] = newest
        attached(self, connection, newest)

    def stay(self, connection):
        return frames.encode(Pong(told[connection.number], connection.heartbeat_s))

    AccessNode.attached, AccessNode._pong = remember, stay


@mutant("HBT.3", tried=("HBT.1", "HBT.2"))
def clears_by_the_clock_whatever_comes() -> None:
    attached = AccessNode.attached

    def doom(self, number, newest):
        attached(self, number, newest)
        connection = self.lines.get(number)
        if connection is not None:
            gevent.spawn_later(1.5 * connection.heartbeat_s + 1, _end, self, number)

    def _end(self, number):
        connection = self.lines.get(number)
        if connection is not None:
            self.lines.close(connection)

    AccessNode.attached = doom


@mutant("HBT.1", tried=("HBT.2", "HBT.3"))
def never_clears_the_dead() -> None:
    Deadlines._check = lambda self, connection, now: None


@mutant("HBT.2", tried=("HBT.1", "HBT.3"))
def turns_a_device_away_while_it_holds_its_old_connection() -> None:
    login = AccessNode._login

    def insist(self, connection, message):
        user = self._verifier.verify(message.token)
        presence = self._users.get(user)
        held = presence.devices() if presence is not None else []
        if any(each.device == message.device and each.state is State.READY for each in held):
            self._fail(connection, ErrorCode.LOGIN_REPLACED, "this device is logged in")
        else:
            login(self, connection, message)

    AccessNode._login = insist


@mutant("DLV.8", tried=("DLV.4", "STO.3", "UNR.1"))
def stores_what_it_refuses() -> None:
    send = Plan._send

    def answer_403_and_store(self, request):
        kind = request.message.kind
        if kind in planning.KINDS:
            return send(self, request)
        send(self, request._replace(message=msgspec.structs.replace(request.message, kind="custom")))
        return Error(ErrorCode.UNKNOWN_KIND, f"unknown kind {kind}", request.message.cid)

    Plan._send = answer_403_and_store


@mutant("DLV.8", tried=("DLV.2",))
def says_nothing_about_what_is_too_large() -> None:
    put = Committer.put

    def drop(self, request):
        if not (isinstance(request.message, Send) and len(request.message.body) > 65536):
            put(self, request)

    Committer.put = drop


@mutant("ORD.2", tried=("ORD.1", "DLV.8", "STO.2"))
def stores_a_batch_backwards() -> None:
    commit = Committer._commit
    Committer._commit = lambda self, batch: commit(self, batch[::-1])


@mutant("ORD.1", tried=("ORD.2", "DLV.2", "STO.2"))
def gives_ids_that_do_not_grow() -> None:
    mint = Snowflakes.mint
    Snowflakes.mint = lambda self, now_ms: mint(self, now_ms) ^ 0x1C00007


@mutant("DLV.1", tried=("DLV.2", "UNR.2"))
def forgets_the_last_member_of_a_group() -> None:
    accept = Plan._accept

    def leave_one_out(self, request, items):
        conversation = self._memory.conversations.get(request.message.to)
        if conversation is None or request.user == max(conversation.members):
            return accept(self, request, items)
        members = conversation.members
        conversation.members = sorted(members)[:-1]
        try:
            return accept(self, request, items)
        finally:
            conversation.members = members

    Plan._accept = leave_one_out


@mutant("STO.1", "DLV.4", tried=("STO.2", "STO.3", "DLV.2"))
def pushes_another_time_than_it_stores() -> None:
    push = Committer._push
    Committer._push = lambda self, delivery: push(self, delivery._replace(at_ms=delivery.at_ms + 1))


@mutant("STO.2", tried=("STO.1", "STO.3", "ORD.1"))
def loses_an_entry_between_two_pages() -> None:
    asked(History, lambda page: History(page.conversation, max(page.before - 1, 0), page.limit))


@mutant("STO.3", tried=("STO.2", "UNR.1"))
def lists_contacts_oldest_first() -> None:

    answered(Contacts, lambda page: ContactList(page.contacts[::-1]))


@mutant("DLV.1", "DLV.2", tried=("DLV.4",))
def knows_ids_only_while_the_connection_lasts() -> None:
    put = Committer.put
    Committer.put = lambda self, request: put(
        self, request._replace(device=f"{request.device} {request.connection}")
    )


def conversation_of(plan: Plan, request: planning.Request) -> Any:
    """The conversation that a send belongs to, as the plan knows it."""
    return plan._memory.conversations.get(planning.conversation_of(request.user, request.message.to))


@mutant("DLV.1", "ROM.2", tried=("ORD.3",))
def forgets_who_is_not_there() -> None:
    plan, accept = Committer._plan, Plan._accept
    present: list[Callable[[str], int]] = []

    def look(self, batch):
        present[:] = [self._presence.connections_of]
        return plan(self, batch)

    def leave_out_the_absent(self, request, items):
        conversation = conversation_of(self, request)
        members = conversation.members
        conversation.members = [user for user in members if user == request.user or present[0](user)]
        try:
            return accept(self, request, items)
        finally:
            conversation.members = members

    Committer._plan, Plan._accept = look, leave_out_the_absent


@mutant("ROM.1", tried=("DLV.3", "UNR.2"))
def pushes_to_the_newest_device_only() -> None:
    push_to = AccessNode._push_to

    def only_the_last(self, connection, *arguments):
        if connection is connection.presence.devices()[-1]:
            push_to(self, connection, *arguments)

    AccessNode._push_to = only_the_last


@mutant("UNR.2", tried=("UNR.1", "STO.3"))
def tells_the_total_from_before_a_read() -> None:
    read = Plan._read_up_to

    def tell_late(self, request, message):
        answer = read(self, request, message)
        return msgspec.structs.replace(answer, total_unread=answer.total_unread + 1)

    Plan._read_up_to = tell_late


@mutant("DLV.8", tried=("DLV.2",))
def calls_every_refusal_its_own_fault() -> None:
    refusal = Plan._refusal

    def blame_oneself(self, user, to, items):
        return (ErrorCode.SERVER_FAULT, "oops") if refusal(self, user, to, items) else None

    Plan._refusal = blame_oneself


@mutant("DLV.8", tried=("STO.2",))
def refuses_the_largest_body_it_promises() -> None:
    planning.MAX_MESSAGE_BODY_BYTES -= 1


@mutant("DLV.8", tried=("DLV.2",))
def hangs_up_on_malformed_frames_without_a_word() -> None:
    AccessNode._fail = lambda self, connection, code, text: self.lines.finish(connection)


@mutant("STO.2", tried=("STO.1", "STO.3"))
def shows_history_with_versions_of_somebody_else() -> None:
    answered(
        History,
        lambda page: msgspec.structs.replace(
            page, entries=[msgspec.structs.replace(e, version=e.version + 1) for e in page.entries]
        ),
    )


@mutant("DLV.4", tried=("DLV.2", "STO.1"))
def tells_a_login_an_old_version() -> None:
    attached = AccessNode.attached
    AccessNode.attached = lambda self, connection, newest: attached(self, connection, max(newest - 1, 0))


@mutant("ORD.1", "ORD.2", "ORD.3", tried=("DLV.2",))
def gives_every_second_message_the_place_before() -> None:
    accept = Plan._accept
    ahead: set[str] = set()

    def swap(self, request, items):
        conversation = conversation_of(self, request)
        sequence, name = conversation.sequence, conversation.name
        if name in ahead:
            answer = accept(self, request, items)
            conversation.sequence = sequence + 2
            ahead.discard(name)
        else:
            conversation.sequence = sequence + 1
            answer = accept(self, request, items)
            conversation.sequence = sequence
            ahead.add(name)
        return answer

    Plan._accept = swap


if __name__ == "__main__":
    MUTANTS[sys.argv.pop(1)].breaks()
    sys.exit(program.main())
