"""DLV.4: each user's version grows by exactly one per inbox entry, and a pull brings what is missing."""

import itertools
from typing import TYPE_CHECKING

import gevent
import pytest

from conformance.accounts import Block, User
from conformance.clients import MakeDevice, MakePhone
from conformance.phone import Phone
from drivers.events import Delivered, GapFound, GapSkipped
from protocol.limits import MAX_PAGE_ENTRIES
from protocol.messages import Entry, Message, Push

if TYPE_CHECKING:
    from refserver.process import ServerProcess

pytestmark = pytest.mark.clause("DLV.4")


def versions_of(entries: list[Entry]) -> list[int]:
    """Versions as they came."""
    return [entry.version for entry in entries]


def fill(block: Block, phone: MakePhone) -> tuple[User, int]:
    """A user with twelve entries: received, from a group, and the user's own."""
    owner, friend, member = block.pick(3)
    source, other, third = phone(owner, "writer"), phone(friend, "writer"), phone(member, "writer")
    for number in range(3):
        other.say(owner.user, f"received {number}".encode())
        source.say(friend.user, f"own {number}".encode())
        third.say(block.group, f"in the group {number}".encode())
        source.say(block.group, f"own in the group {number}".encode())
    return owner, 12


def test_every_entry_grows_the_version_by_one(block: Block, phone: MakePhone) -> None:
    """Each user has a version that grows by exactly one per inbox entry, own messages included.

    Two friends, one of whom has three messages of a third already, write to each other in turn. Expected: the
    versions in the sender's SENT and in the recipient's PUSH are each one's own, and go up by one at every
    message.
    """
    one, other, third = block.pick(3)
    phone(third).say_all(one.user, [b"before"] * 3)
    phones = [phone(one), phone(other)]
    newest = {each.user: each.logged_in.version for each in phones}
    for number in range(8):
        source, target = phones[number % 2], phones[1 - number % 2]
        body = f"turn {number}".encode()
        sent = source.say(target.user, body)
        push = target.await_push(body)
        for name, version in ((source.user, sent.version), (target.user, push.version)):
            assert version == newest[name] + 1, (
                f"message {number}: expected version {newest[name] + 1} for {name}, got {version}"
            )
            newest[name] = version


def test_concurrent_senders_leave_no_hole_and_no_version_twice(block: Block, phone: MakePhone) -> None:
    """... by exactly one per inbox entry, whoever writes at the same time.

    Five members of a group send twenty messages each at the same time. Expected: each member's inbox has
    exactly the versions 1 to 100.
    """
    members = [phone(user) for user in block.members()]
    bodies = [[f"{number} says {turn}".encode() for turn in range(20)] for number in range(5)]
    jobs = [
        gevent.spawn(each.say_all, block.group, texts) for each, texts in zip(members, bodies, strict=True)
    ]
    sent = [job.get() for job in jobs]
    for each, own in zip(members, sent, strict=True):
        for body in (body for texts in bodies for body in texts):
            if body not in bodies[members.index(each)]:
                each.await_push(body)
        pushed = {push.version for push in each.pushes}
        got = sorted(pushed | {answer.version for answer in own})
        assert got == list(range(1, 101)), (
            f"{each.name}: expected the versions 1 to 100 in pushes and SENTs, "
            f"missing {sorted(set(range(1, 101)) - set(got))}, beyond {sorted(set(got) - set(range(1, 101)))}"
        )


def test_a_pull_brings_precisely_what_follows_a_version(block: Block, phone: MakePhone) -> None:
    """A client pulls the missing range and gets precisely it.

    An inbox of twelve entries is pulled after every version, with limits of 1, 2, 3, 12 and 1,000, by a
    device that said at its login that it has nothing, and by one that said it has all. Expected: the entries
    after that version, oldest first, as many as the limit allows; `newest` is 12; `more` tells whether
    entries are left.
    """
    owner, newest = fill(block, phone)
    readers = [phone(owner, "reader"), phone(owner, "knowing", version=newest)]
    for reader, limit in itertools.product(readers, (1, 2, 3, 12, 1000)):
        for after in range(newest + 1):
            page = reader.pull(after, limit)
            expected = list(range(after + 1, min(after + limit, newest) + 1))
            got = versions_of(page.entries)
            where = f"{reader.name}, PULL after {after}, limit {limit}"
            assert got == expected, f"{where}: expected the versions {expected}, got {got}"
            assert page.newest == newest, f"{where}: expected newest {newest}, got {page.newest}"
            left = after + len(expected) < newest
            assert page.more == left, f"{where}: expected more to be {left}, got {page.more}"


def test_a_pull_beyond_the_newest_is_empty(block: Block, phone: MakePhone) -> None:
    """... gets precisely it: nothing, where nothing is missing.

    An inbox of twelve entries is pulled after 12, 13 and a very large version; and an inbox without entries.
    Expected: no entries, `more` false, `newest` as it is.
    """
    owner, newest = fill(block, phone)
    reader = phone(owner, "reader")
    for after in (newest, newest + 1, 2**40):
        page = reader.pull(after, 10)
        assert (page.entries, page.newest, page.more) == ([], newest, False), (
            f"PULL after {after}: expected no entries, newest {newest}, more false, got {page}"
        )
    page = phone(block.account(block.strangers[0])).pull(0, 10)
    assert (page.entries, page.newest, page.more) == ([], 0, False), (
        f"PULL of an empty inbox: expected no entries, newest 0, more false, got {page}"
    )


def test_pages_of_any_size_join_without_a_seam(block: Block, phone: MakePhone) -> None:
    """... pulls the missing range and gets precisely it, in as many pages as it wants.

    An inbox is pulled page by page with limits of 1, 2, 5 and 7, while a friend goes on sending. Expected:
    the versions from 1 on without a hole, at least up to what was newest before.
    """
    owner, newest = fill(block, phone)
    reader = phone(owner, "reader")
    friend = phone(block.pick(2)[1], "writer")

    def go_on() -> None:
        for number in range(12):
            friend.say(owner.user, f"meanwhile {number}".encode())

    writing = gevent.spawn(go_on)
    for limit in (1, 2, 5, 7):
        got = versions_of(reader.inbox(0, limit))
        assert got == list(range(1, len(got) + 1)), f"limit {limit}: expected 1, 2, 3 and so on, got {got}"
        assert len(got) >= newest, f"limit {limit}: expected at least {newest} entries, got {len(got)}"
    writing.get()


def test_a_pulled_entry_equals_the_pushed_one(block: Block, phone: MakePhone) -> None:
    """... gets precisely it: the same entry, whichever way it comes.

    Entries of all kinds are pushed to one device and pulled by another. Expected: equal in every field.
    """
    sender, owner, other = block.pick(3)
    phone(sender, "elsewhere").say(other.user, b"so that versions differ")
    source, target = phone(sender), phone(owner)
    for kind in ("text", "image", "audio", "video", "file", "custom"):
        source.say(owner.user, f"as {kind}".encode(), kind=kind)
        source.say(block.group, bytes(range(256)) + kind.encode(), kind=kind)
    target.await_push(bytes(range(256)) + b"custom")
    pulled = phone(owner, "reader").inbox()
    assert len(pulled) == len(target.pushes), (
        f"expected the pull to bring the {len(target.pushes)} pushed entries, got {len(pulled)}"
    )
    for push, entry in zip(target.pushes, pulled, strict=True):
        pushed = Entry(*(getattr(push, name) for name in Entry.__struct_fields__))
        assert entry == pushed, f"expected the pulled entry to equal the push {pushed}, got {entry}"


def test_large_entries_come_in_several_pages(block: Block, phone: MakePhone) -> None:
    """... gets precisely it, also where it does not fit a frame.

    Twenty messages of 60,000 bytes are pulled with a limit of 1,000. Expected: all twenty, intact, in as
    many pages as it takes.
    """
    sender, owner = block.pick(2)
    bodies = [bytes([number]) * 60_000 for number in range(20)]
    sent = phone(sender).say_all(owner.user, bodies)
    entries = phone(owner, "reader").inbox()
    assert versions_of(entries) == list(range(1, 21)), (
        f"expected the versions 1 to 20, got {versions_of(entries)}"
    )
    expected = {answer.mid: body for answer, body in zip(sent, bodies, strict=True)}
    got = {entry.mid: entry.body for entry in entries}
    assert got == expected, "expected the bodies as they were sent"


def test_a_page_has_at_most_a_thousand_entries(block: Block, phone: MakePhone) -> None:
    """... pulls the missing range, however long it is.

    1,010 messages are pulled with a limit of 5,000. Expected: a page of at most 1,000 that says there is
    more, and then the rest.
    """
    sender, owner = block.pick(2)
    phone(sender).say_all(owner.user, [str(number).encode() for number in range(1010)])
    reader = phone(owner, "reader")
    page = reader.pull(0, 5000)
    got = versions_of(page.entries)
    assert got == list(range(1, len(got) + 1)), "expected the versions from 1 on without a hole"
    assert len(got) <= MAX_PAGE_ENTRIES, f"expected at most {MAX_PAGE_ENTRIES} entries, got {len(got)}"
    assert page.more, f"expected more to be true after {len(got)} of 1,010 entries"
    rest = versions_of(reader.inbox(len(got), 5000))
    assert rest == list(range(len(got) + 1, 1011)), f"expected {len(got) + 1} to 1010, got {rest}"


def test_a_client_that_sees_a_gap_fills_it(block: Block, device: MakeDevice, phone: MakePhone) -> None:
    """A client that sees a gap pulls the missing range and gets precisely it.

    The path loses the pushes of versions 2 and 3, and a later one arrives. Expected: the client finds the
    gap, pulls, and shows 1 to 5 in order, 2 and 3 from the pull.
    """
    sender, owner = block.pick(2)

    def lose(direction: str, message: Message) -> bool:
        return isinstance(message, Push) and message.version in (2, 3)

    target = device(owner, heartbeat_s=60)
    target.lose = lose
    target.log_in()
    source: Phone = phone(sender)
    for number in range(1, 6):
        source.say(owner.user, str(number).encode())
    target.await_version(5)
    delivered = target.all_of(Delivered)
    shown = [event.entry.version for event in delivered]
    assert shown == [1, 2, 3, 4, 5], f"expected versions 1 to 5 to be shown in order, got {shown}"
    assert target.all_of(GapFound), "expected the client to find the gap after version 1"
    ways = {event.entry.version: event.via for event in delivered}
    assert ways[2] == ways[3] == "pull", f"expected versions 2 and 3 to come by a pull, got {ways}"
    assert not target.all_of(GapSkipped), "expected no version to stay missing"


def test_a_login_is_told_the_newest_version(block: Block, phone: MakePhone) -> None:
    """Each user has a version: a device learns it when it logs in.

    A user with twelve entries logs in beside a device of hers, and one who was away while three messages
    came. Expected: LOGGED_IN says 12, also when the device knows of 5, or of more than there is; 3; and 0 to
    a user without entries.
    """
    owner, newest = fill(block, phone)
    for known in (0, 5, newest, newest + 1000):
        got = phone(owner, f"knows-{known}", version=known).logged_in.version
        assert got == newest, f"a device that has {known}: expected version {newest}, got {got}"
    away = block.account(block.outsiders[0])
    phone(owner, "sender").say_all(away.user, [b"one", b"two", b"three"])
    got = phone(away).logged_in.version
    assert got == 3, f"a user who was away while three messages came: expected version 3, got {got}"
    got = phone(block.account(block.strangers[0])).logged_in.version
    assert got == 0, f"a user without entries: expected version 0, got {got}"


def test_versions_go_on_after_a_restart(block: Block, phone: MakePhone, server: "ServerProcess") -> None:
    """Each user has a version that grows by exactly one: a restart is no reason to begin elsewhere.

    Two friends write to each other; the server is stopped in order and started, then killed and started.
    Expected: after each restart the next message has the next version for both.
    """
    one, other = block.pick(2)
    for number, end in enumerate((None, server.stop, server.kill), 1):
        if end is not None:
            end()
            server.start()
        source, target = phone(one), phone(other)
        body = f"life {number}".encode()
        versions = (source.say(other.user, body).version, target.await_push(body).version)
        assert versions == (number, number), (
            f"message {number}, the first after a restart: expected version {number} for both, got {versions}"
        )
        # A server that drains waits for who is still there.
        source.hang_up()
        target.hang_up()
