"""UNR.1 and UNR.2: counts beyond what a byte holds, and read points after a restart."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone, MakeWeb
from conformance.packages import say_package
from conformance.phone import Phone, fresh_cid
from protocol.limits import MAX_PACKAGE_ITEMS
from protocol.messages import Read, Send, Sent

if TYPE_CHECKING:
    from refserver.process import ServerProcess


@pytest.mark.clause("UNR.1", "UNR.3")
def test_counts_go_on_beyond_a_few_hundred(block: Block, phone: MakePhone) -> None:
    """... each equals the messages received and not read: however many.

    A member is sent 300 messages at once, and 260 in a group; then all but 256 of the first are read.
    Expected: 300 and 260, together 560; then 256 and 260.
    """
    owner, friend = block.members()[:2]
    source, reader = phone(friend), phone(owner)
    single = source.say_all(owner.user, [b"%d" % number for number in range(300)])
    grouped = source.say_all(block.group, [b"%d" % number for number in range(260)])
    names = (single[0].conversation, grouped[0].conversation)
    for wanted in ((300, 260), (256, 260)):
        total, counts = reader.unread()
        found = tuple(counts.get(name, 0) for name in names)
        assert found == wanted, f"expected the counts {wanted}, got {found}"
        assert total == sum(wanted), f"expected a total of {sum(wanted)}, got {total}"
        reader.read(names[0], single[43].sequence)


@pytest.mark.clause("UNR.2")
def test_an_older_point_changes_nothing_after_a_restart(
    block: Block, phone: MakePhone, server: "ServerProcess"
) -> None:
    """... reading twice, an older point ... changes nothing further: the point outlives the server.

    Of five messages four are read; the server is killed and started; then older points are read, and the
    same. Expected: one unread all the time.
    """
    owner, friend = block.pick(2)
    sent = phone(friend).say_all(owner.user, [b"%d" % number for number in range(5)])
    reader = phone(owner)
    name = sent[0].conversation
    reader.read(name, sent[3].sequence)
    server.kill()
    server.start()
    reader = phone(owner)
    for point in (0, 2, 3):
        reader.read(name, sent[point].sequence)
        total, counts = reader.unread()
        assert (total, counts) == (1, {name: 1}), (
            f"after a read up to the {point + 1}. of five: expected 1 unread, got {total} and {counts}"
        )


@pytest.mark.clause("UNR.2", "UNR.3")
def test_reads_that_meet_sends_clear_only_what_they_name(block: Block, phone: MakePhone) -> None:
    """Reading up to a message lowers both counts: of what lies beyond it nothing, however they meet.

    Ten times a friend sends thirty messages in one piece, while the user reads, in one piece, up to thirty
    older points. Expected: each time what is unread is what lies beyond the last point.
    """
    owner, friend = block.pick(2)
    source, reader = phone(friend), phone(owner)
    before = source.say_all(owner.user, [b"before"] * 31)
    name, known = before[0].conversation, [sent.sequence for sent in before]
    count = 0
    for turn in range(10):
        sends = [Send(fresh_cid(), owner.user, "text", b"%d" % number) for number in range(30)]
        for send in sends:
            source.wire.send(send)
            reader.wire.send(Read(name, known[count]))
            count += 1
        answers = source.answers_to([send.cid for send in sends])
        known += [answer.sequence for answer in answers if isinstance(answer, Sent)]
        reader.read(name, known[count - 1])
        total, counts = reader.unread()
        wanted = 31 + 30 * (turn + 1) - count
        assert (total, counts.get(name, 0)) == (wanted, wanted), (
            f"turn {turn}: expected {wanted} unread, got {total} and {counts}"
        )


@pytest.mark.clause("UNR.1")
@pytest.mark.needs("packages", "contacts")
def test_counts_go_on_beyond_a_thousand(block: Block, phone: MakePhone) -> None:
    """... each equals the messages received and not read: also where nobody will ever read them.

    A friend sends eleven packages of a hundred, and one message to the group. Expected: 1,100 and 1, together
    1,101, in UNREAD_COUNTS as in the list of contacts.
    """
    owner, friend = block.members()[:2]
    source, reader = phone(friend), phone(owner)
    for _ in range(11):
        name = say_package(source, owner.user, [b"x"] * MAX_PACKAGE_ITEMS).conversation
    source.say(block.group, b"x")
    got = reader.unread()
    assert got == (1101, {name: 1100, block.group: 1}), f"expected 1,100 and 1 unread, got {got}"
    listed = {contact.peer: contact.unread for contact in reader.contacts()}
    assert listed == {friend.user: 1100, block.group: 1}, f"expected the same of contacts, got {listed}"


def acknowledges(reader: Phone, web: MakeWeb, block: Block) -> None:
    reader.acknowledge(reader.await_push(b"last").version)
    reader.beat()


def pulls(reader: Phone, web: MakeWeb, block: Block) -> None:
    reader.inbox()


def looks_at_the_history(reader: Phone, web: MakeWeb, block: Block) -> None:
    for name in {entry.conversation for entry in reader.inbox()}:
        reader.history(name)


def looks_at_the_contacts(reader: Phone, web: MakeWeb, block: Block) -> None:
    reader.contacts()


def polls(reader: Phone, web: MakeWeb, block: Block) -> None:
    web(block.account(reader.user)).poll(0)


_LOOKS = [
    pytest.param(acknowledges, id="acknowledges"),
    pytest.param(pulls, id="pulls"),
    pytest.param(polls, id="polls", marks=pytest.mark.needs("short_poll")),
    pytest.param(looks_at_the_history, id="looks at the history", marks=pytest.mark.needs("history")),
    pytest.param(looks_at_the_contacts, id="looks at the contacts", marks=pytest.mark.needs("contacts")),
]


@pytest.mark.clause("UNR.1")
@pytest.mark.parametrize("look", _LOOKS)
def test_what_was_only_delivered_is_not_read(
    block: Block, phone: MakePhone, web: MakeWeb, look: Callable[[Phone, MakeWeb, Block], None]
) -> None:
    """... each equals the messages received and not read: a message that has arrived is not read by that.

    A member is sent three messages, and two in a group; his device takes them in by one of five ways.
    Expected: three and two are unread, on that device and on a new one.
    """
    owner, friend = block.members()[:2]
    source, reader = phone(friend), phone(owner)
    source.say_all(block.group, [b"x"] * 2)
    sent = source.say_all(owner.user, [b"x", b"x", b"last"])
    look(reader, web, block)
    wanted = (5, {sent[0].conversation: 3, block.group: 2})
    for each in (reader, phone(owner, "new")):
        got = each.unread()
        assert got == wanted, f"{each.name}: expected {wanted} unread, got {got}"


@pytest.mark.clause("UNR.2")
@pytest.mark.needs("packages")
def test_a_read_may_end_within_a_package(block: Block, phone: MakePhone) -> None:
    """Reading up to a message lowers both counts together: up to that one, also where it came with others.

    A package of five comes to a member, and one to his group; each is read item by item. Expected: each read
    leaves what lies behind it.
    """
    owner, friend = block.members()[:2]
    source, reader = phone(friend), phone(owner)
    packages = [say_package(source, to, [b"x"] * 5) for to in (owner.user, block.group)]
    total = 10
    for sent in packages:
        for left, placed in zip(range(4, -1, -1), sent.placed, strict=True):
            total -= 1
            update = reader.read(sent.conversation, placed.sequence)
            got = (update.unread, update.total_unread, reader.unread()[0])
            assert got == (left, total, total), f"expected {left} left and {total} in all, got {got}"
