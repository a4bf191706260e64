"""What kill -9 may not cost: DLV.7, ARC.2, ARC.3, UNR.3, ORD.4.

The server is killed several times in the middle of traffic; what it says afterwards is looked at by all
cases together, because a restart takes a second. That needs a server that the suite started itself.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from conformance.accounts import Block
from conformance.clients import Clients, MakeDevice, MakePhone, MakeWeb
from conformance.crashing import PACKAGE_ITEMS, ROUNDS, Crashes, Said, crash_again_and_again
from conformance.packages import say_package
from conformance.phone import Phone
from conformance.target import Target, seed_key
from conformance.verdicts import not_offered
from drivers.events import Acked
from protocol.messages import Entry, Error, PackageSent, Sent
from protocol.names import conversation_between

if TYPE_CHECKING:
    from refserver.process import ServerProcess


pytestmark = pytest.mark.needs("packages", "unread", "contacts", "history")


@pytest.fixture(scope="module")
def crashes(
    target: Target,
    take_block: Callable[[], Block],
    lasting_clients: Clients,
    request: pytest.FixtureRequest,
) -> Crashes:
    if not target.is_ours:
        not_offered("the target was not started by us, so it cannot be killed")
    dice = random.Random(request.config.stash[seed_key])
    try:
        return crash_again_and_again(target, take_block(), lasting_clients, dice)
    finally:
        make_run(target)


def make_run(target: Target) -> None:
    """For the cases after this one, whatever became of it."""
    server = target.running_server()
    if not psutil.pid_exists(server.pid):
        server.start()


def acknowledged(seen: Crashes, until: int) -> list[Said]:
    return [said for said in seen.said[:until] if said.answers]


def parties(seen: Crashes, said: Said) -> list[str]:
    users = [user.user for user in seen.users]
    return users if said.to == seen.block.group else [said.sender, said.to]


@pytest.mark.clause("DLV.7")
def test_an_acknowledged_message_survives_kill_9(crashes: Crashes) -> None:
    """An acknowledged message survives kill -9 of any process at any moment.

    Three times the server is killed while four users send to each other and to a group. Expected: after
    each restart, every message acknowledged so far is in the inbox of each of its parties, once, with its
    id.
    """
    assert len(acknowledged(crashes, len(crashes.said))) > ROUNDS, "expected some sends to be acknowledged"
    for number, (until, states) in enumerate(zip(crashes.until, crashes.after, strict=True), 1):
        held = {
            user: Counter((entry.mid, entry.body) for entry in state.inbox) for user, state in states.items()
        }
        for said in acknowledged(crashes, until):
            for user in parties(crashes, said):
                for item in zip(said.mids, said.bodies, strict=True):
                    assert held[user][item] == 1, (
                        f"kill {number}: expected message {item[0]} to {said.to} once in the inbox of "
                        f"{user}, it is there {held[user][item]} times"
                    )


@pytest.mark.clause("DLV.7")
def test_what_was_shown_before_a_crash_is_the_same_after_it(crashes: Crashes) -> None:
    """An acknowledged message survives: with its place, not only its text.

    Expected: after each kill the inbox of every user begins with just what it held after the kill before;
    its versions are 1, 2, 3 and so on, and no message is there twice.
    """
    before: dict[str, list[Entry]] = {}
    for number, states in enumerate(crashes.after, 1):
        for user, state in states.items():
            versions = [entry.version for entry in state.inbox]
            assert versions == list(range(1, len(versions) + 1)), (
                f"kill {number}, {user}: expected versions 1 to {len(versions)} without holes"
            )
            old = before.get(user, [])
            assert state.inbox[: len(old)] == old, (
                f"kill {number}, {user}: expected the old entries unchanged"
            )
            repeated = [body for body, n in Counter(entry.body for entry in state.inbox).items() if n > 1]
            assert not repeated, f"kill {number}, {user}: expected each message once, twice: {repeated[:3]}"
            before[user] = state.inbox


@pytest.mark.clause("DLV.7")
def test_repeating_everything_after_crashes_finds_what_was_acknowledged(crashes: Crashes) -> None:
    """An acknowledged message survives: and a sender who did not hear of it can find out.

    After the last kill every send of the traffic is repeated. Expected: what was acknowledged gets the same
    answer again; everything is accepted; what an inbox held before it is not stored again.
    """
    for said, again in crashes.repeats:
        assert isinstance(again, Sent | PackageSent), f"expected a repeat to be accepted, got {again}"
        if said.answers:
            assert again == said.answers[0], f"expected {said.answers[0]} again, got {again}"
    held = {entry.body: entry.mid for state in crashes.after[-1].values() for entry in state.inbox}
    for said, again in crashes.repeats:
        mids = [each.mid for each in again.placed] if isinstance(again, PackageSent) else [again.mid]  # type: ignore[attr-defined]
        for body, mid in zip(said.bodies, mids, strict=True):
            assert held.get(body, mid) == mid, f"expected the stored message {held[body]}, got another: {mid}"


@pytest.mark.clause("DLV.7")
def test_the_moment_after_the_acknowledgement_is_late_enough(
    block: Block, phone: MakePhone, web: MakeWeb, server: "ServerProcess"
) -> None:
    """... at any moment: the first one at which the sender knows is the hardest.

    Four times the server is killed as soon as SENT, then PACKAGE_SENT, then a short request's answer, then
    SENT for a message to the group has come. Expected: the recipient has each of the messages after the
    restart.
    """
    sender, recipient = block.pick(2)
    ways: list[Callable[[], object]] = [
        lambda: phone(sender).say(recipient.user, b"first"),
        lambda: say_package(phone(sender), recipient.user, [b"second", b"and more"]),
        lambda: web(sender).say(recipient.user, b"third"),
        lambda: phone(sender).say(block.group, b"fourth"),
    ]
    for way in ways:
        way()
        server.kill()
        server.start()
    found = [entry.body for entry in phone(recipient).inbox()]
    wanted = [b"first", b"second", b"and more", b"third", b"fourth"]
    assert found == wanted, f"expected {wanted} after four kills, found {found}"


@pytest.mark.clause("DLV.7")
def test_clients_lose_and_repeat_nothing_over_a_crash(
    block: Block, device: MakeDevice, server: "ServerProcess"
) -> None:
    """An acknowledged message survives: for the people at both ends.

    Two clients send to each other while the server is killed and started again. Expected: both come back by
    themselves; every message is acknowledged in the end and shown to the other, once.
    """
    users = block.pick(2)
    devices = [device(user, heartbeat_s=1, reconnect_base_s=0.05, reconnect_cap_s=0.3) for user in users]
    for each in devices:
        each.log_in()
    cids = [
        [each.send(other.user, f"{other.user} {turn}".encode()) for turn in range(300)]
        for each, other in zip(devices, reversed(users), strict=True)
    ]
    devices[0].await_event(Acked)
    server.kill()
    server.start()
    for each, other, sent in zip(devices, reversed(devices), cids, strict=True):
        for cid in sent:
            each.await_event(Acked, lambda event, cid=cid: event.cid == cid, timeout_s=20)  # type: ignore[misc]
        other.await_delivered(f"{other.identity.user} 299".encode(), timeout_s=20)
    for each, other in zip(devices, reversed(devices), strict=True):
        shown = [entry.body for entry in each.timeline() if entry.sender == other.identity.user]
        wanted = [f"{each.identity.user} {turn}".encode() for turn in range(300)]
        assert shown == wanted, (
            f"{each.name}: expected 300 messages, each once and in order, got {len(shown)}"
        )


@pytest.mark.clause("ARC.2")
def test_message_count_and_contact_change_as_one(crashes: Crashes) -> None:
    """The business service stores the message, changes unread counts and updates recent contacts as one
    unit: after any crash either all three happened or none.

    Expected: after each kill, for every user and conversation, the contact points to the newest message of
    the inbox, and the unread count is the number of others' messages beyond a point that the user asked to
    read.
    """
    for number, states in enumerate(crashes.after, 1):
        for user, state in states.items():
            peers = {entry.conversation: _peer(user, entry.conversation) for entry in state.inbox}
            newest = {peers[entry.conversation]: (entry.mid, entry.sequence) for entry in state.inbox}
            listed = {contact.peer: (contact.mid, contact.sequence) for contact in state.contacts}
            assert listed == newest, (
                f"kill {number}, {user}: expected contacts to point to the newest messages {newest}, "
                f"got {listed}"
            )
            for name, peer in peers.items():
                foreign = [e.sequence for e in state.inbox if e.conversation == name and e.sender != user]
                count = state.counts.get(name, 0)
                # A read that was not confirmed may have happened or not.
                beyond, least = (
                    sum(sequence > points[number - 1].get((user, name), 0) for sequence in foreign)
                    for points in (crashes.confirmed, crashes.asked)
                )
                assert least <= count <= beyond, (
                    f"kill {number}, {user}, {name}: expected {least} to {beyond} unread of "
                    f"{len(foreign)} messages of others, got {count}"
                )
                row = next(contact.unread for contact in state.contacts if contact.peer == peer)
                assert row == count, f"kill {number}, {user}: expected {count} in the contact too, got {row}"


def _peer(user: str, conversation: str) -> str:
    if conversation.startswith("g:"):
        return conversation
    one, _, other = conversation.partition(":")
    return other if one == user else one


@pytest.mark.clause("ARC.2")
def test_all_parties_have_a_message_or_none_has(crashes: Crashes) -> None:
    """... as one unit: for both sides, and in the history as in the inbox.

    Expected: after each kill, whatever is in one party's inbox is in that of every other, acknowledged or
    not, with the same id and sequence; each history is the conversation's part of the inbox.
    """
    for number, states in enumerate(crashes.after, 1):
        for said in crashes.said[: crashes.until[number - 1]]:
            wanted = set(said.bodies)
            found = [
                {(entry.mid, entry.sequence) for entry in states[user].inbox if entry.body in wanted}
                for user in parties(crashes, said)
            ]
            assert all(each == found[0] for each in found), (
                f"kill {number}: expected a message to {said.to} with all parties or none, found {found}"
            )
        for user, state in states.items():
            for name, entries in state.history.items():
                inbox = [(entry.mid, entry.sequence) for entry in state.inbox if entry.conversation == name]
                listed = [(entry.mid, entry.sequence) for entry in entries]
                assert listed == inbox, f"kill {number}, {user}: expected the history of {name} as the inbox"


@pytest.mark.clause("ORD.4")
def test_a_package_survives_a_crash_whole_or_not_at_all(crashes: Crashes) -> None:
    """... accepted all or none: also when the server dies over it.

    Expected: after each kill, every inbox holds each package whole and adjacent, or nothing of it.
    """
    for number, states in enumerate(crashes.after, 1):
        for user, state in states.items():
            places: dict[bytes, list[tuple[int, bytes]]] = {}
            for entry in state.inbox:
                cid, _, item = entry.body.partition(b"/")
                if item:
                    places.setdefault(cid, []).append((entry.version, item))
            for cid, items in places.items():
                first = items[0][0]
                wanted = [(first + n, str(n).encode()) for n in range(PACKAGE_ITEMS)]
                assert items == wanted, (
                    f"kill {number}, {user}: expected package {cid.decode()} whole, in one piece, "
                    f"found {items}"
                )


@pytest.mark.clause("UNR.3")
def test_counts_are_exact_after_kill_9(crashes: Crashes) -> None:
    """Counts stay exact under ... kill -9.

    Expected: after each kill the total is the sum of the counts; no count is above the messages received
    beyond what was confirmed as read.
    """
    for number, states in enumerate(crashes.after, 1):
        for user, state in states.items():
            total = sum(state.counts.values())
            assert state.total == total, (
                f"kill {number}, {user}: expected a total of {total}, got {state.total}"
            )
            for name, count in state.counts.items():
                point = crashes.confirmed[number - 1].get((user, name), 0)
                unread = sum(
                    entry.conversation == name and entry.sender != user and entry.sequence > point
                    for entry in state.inbox
                )
                assert count <= unread, (
                    f"kill {number}, {user}, {name}: expected at most {unread} unread beyond the confirmed "
                    f"{point}, got {count}"
                )


@pytest.mark.clause("ARC.3")
def test_accounts_and_relations_survive(crashes: Crashes, phone: MakePhone) -> None:
    """Accounts, relationships (friends, group membership) and messages survive a restart and a kill -9 of
    every process.

    After the kills, tokens from before are used. Expected: all ten users can log in; friends may write to
    each other and members to the group, whose messages reach every member; strangers and outsiders still
    may not.
    """
    block = crashes.block
    phones = {user.user: phone(user, "after the crash") for user in block.users}
    sender, *members = block.members()
    source = phones[sender.user]
    for friend in block.friends:
        if friend != sender.user:
            sent = source.say(friend, b"still friends")
            assert sent.conversation == conversation_between(sender.user, friend), (
                f"expected the conversation with {friend}, got {sent.conversation}"
            )
            phones[friend].await_push(b"still friends")
    source.say(block.group, b"still members")
    for member in members:
        phones[member.user].await_push(b"still members")
    refusals = [(source, block.strangers[0]), (phones[block.outsiders[0]], block.group)]
    for speaker, to in refusals:
        answer = speaker.try_to_say(to, b"not allowed")
        assert isinstance(answer, Error), f"{speaker.user} to {to}: expected ERROR 403, got {answer}"
        assert answer.code == 403, f"{speaker.user} to {to}: expected ERROR 403, got {answer}"
    for outsider in block.outsiders:
        phones[outsider].beat()
        bodies = [push.body for push in phones[outsider].pushes]
        assert b"still members" not in bodies, f"{outsider}: expected nothing of a group it is not in"


@pytest.mark.clause("ARC.3")
def test_an_orderly_restart_keeps_everything(
    block: Block, phone: MakePhone, web: MakeWeb, target: Target, server: "ServerProcess"
) -> None:
    """... messages survive a restart: with everything that hangs on them.

    Messages, a package and a read are made; the server is stopped in order and started. Expected: inbox,
    history, contacts and counts of both parties are exactly what they were; a password is still good.
    """
    sender, recipient = block.pick(2)
    source, reader = phone(sender), phone(recipient)
    sent = source.say_all(recipient.user, [f"{number}".encode() for number in range(5)])
    say_package(source, block.group, [b"a", b"b", b"c"])
    reader.read(sent[2].conversation, sent[2].sequence)

    def everything(one: Phone) -> tuple[object, ...]:
        name = sent[0].conversation
        return one.inbox(), one.history(name), one.history(block.group), one.contacts(), one.unread()

    before = [everything(one) for one in (source, reader)]
    for one in (source, reader):
        one.hang_up()
    server.stop()
    server.start()
    after = [everything(phone(user)) for user in (sender, recipient)]
    assert after == before, f"expected everything as it was before the restart: {before}, got {after}"
    known = target.accounts_with_password()[0]
    reply = web(None).call("POST", "/v1/tokens", {"user": known.user, "password": known.password})
    assert reply.status == 200, f"expected a token for the password from before, got {reply.status}"
