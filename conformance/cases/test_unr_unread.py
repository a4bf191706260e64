"""UNR.1 and UNR.2: unread counts equal what was received and not read, at every quiet moment."""

import random

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone
from conformance.phone import Phone, fresh_cid
from protocol.names import conversation_between


def assert_counts(phone: Phone, expected: dict[str, int], when: str) -> None:
    """The counts by conversation are these and no others, and the total is their sum."""
    total, counts = phone.unread()
    wanted = {conversation: count for conversation, count in expected.items() if count}
    assert counts == wanted, f"{phone.name}, {when}: expected the counts {wanted}, got {counts}"
    assert total == sum(wanted.values()), (
        f"{phone.name}, {when}: expected a total of {sum(wanted.values())}, got {total}"
    )


@pytest.mark.clause("UNR.1")
@pytest.mark.needs("contacts")
def test_counts_follow_every_message_and_every_read(
    block: Block, phone: MakePhone, dice: random.Random
) -> None:
    """A total and, per conversation, a count: the total is the sum, each equals the messages received and not
    read.

    Three friends write to a user and to a group he is in, and he reads at random points, a hundred steps in
    all. Expected: after every step all counts are those of the model, in UNREAD_COUNTS as in the list of
    contacts.
    """
    owner, *friends = block.pick(4)
    reader = phone(owner, "reader")
    sources = [phone(user) for user in friends]
    received: dict[str, list[int]] = {}
    read: dict[str, int] = {}
    for step in range(100):
        left = {name: [s for s in received[name] if s > read.get(name, 0)] for name in sorted(received)}
        readable = [name for name, sequences in left.items() if sequences]
        if readable and dice.random() < 0.3:
            name = dice.choice(readable)
            read[name] = dice.choice(left[name])
            reader.read(name, read[name])
        else:
            source = dice.choice(sources)
            sent = source.say(dice.choice([owner.user, block.group]), f"step {step}".encode())
            received.setdefault(sent.conversation, []).append(sent.sequence)
        model = {
            name: sum(sequence > read.get(name, 0) for sequence in sequences)
            for name, sequences in received.items()
        }
        assert_counts(reader, model, f"after step {step}")
    peers = {conversation_between(owner.user, friend.user): friend.user for friend in friends}
    by_peer = {peers.get(name, name): count for name, count in model.items()}
    listed = {contact.peer: contact.unread for contact in reader.contacts()}
    assert listed == by_peer, f"expected the list of contacts to show the counts {by_peer}, got {listed}"


@pytest.mark.clause("UNR.1")
def test_each_member_of_a_group_has_counts_of_its_own(block: Block, phone: MakePhone) -> None:
    """A *user* has a total and a count: what one reads stays unread for others.

    Six messages come to a group; each of four members reads up to another point. Expected: each has the count
    that follows from its own point, and keeps it when others read.
    """
    sender, *members = block.members()
    source = phone(sender)
    sent = [source.say(block.group, f"{number}".encode()) for number in range(6)]
    readers = [phone(user) for user in members]
    for number, each in enumerate(readers):
        each.read(block.group, sent[number].sequence)
    for number, each in enumerate(readers):
        assert_counts(each, {block.group: 5 - number}, f"having read {number + 1} of 6")


@pytest.mark.clause("UNR.1")
def test_a_repeated_send_counts_like_what_is_in_the_inbox(block: Block, phone: MakePhone) -> None:
    """... each equals the messages received: a retransmission is not received twice.

    Three sends are each repeated twice, in one piece and one by one. Expected: the count is the number of
    messages that the recipient's inbox holds.
    """
    sender, owner = block.pick(2)
    source, reader = phone(sender), phone(owner)
    for number in range(3):
        cid = fresh_cid()
        for _ in range(3):
            sent = source.say(owner.user, f"{number}".encode(), cid=cid)
    held = len(reader.inbox())
    assert_counts(reader, {sent.conversation: held}, f"with {held} messages in the inbox")


@pytest.mark.clause("UNR.1")
def test_counts_are_exact_after_concurrent_senders(block: Block, phone: MakePhone) -> None:
    """... at every quiet moment: here after a moment that was not.

    Six friends write to one user and those of them in the group to the group, thirty messages each, at the
    same time. Expected: the counts are the numbers of messages.
    """
    owner, *friends = block.pick(7)
    sources = [phone(user) for user in friends]

    def write(source: Phone) -> None:
        source.say_all(owner.user, [b"direct"] * 30)
        if source.user in block.group_members:
            source.say_all(block.group, [b"group"] * 30)

    gevent.joinall([gevent.spawn(write, source) for source in sources], raise_error=True)
    expected = {conversation_between(owner.user, user.user): 30 for user in friends}
    expected[block.group] = 30 * sum(user.user in block.group_members for user in friends)
    assert_counts(phone(owner), expected, "after everybody has written")


@pytest.mark.clause("UNR.2")
def test_reading_lowers_both_counts_together(block: Block, phone: MakePhone) -> None:
    """Reading up to a message lowers both counts together.

    Five messages wait in each of two conversations; the first is read up to its second message, then to its
    end. Expected: READ_UPDATE tells the count and the total, and UNREAD_COUNTS says the same.
    """
    owner, one, other = block.pick(3)
    sent = [phone(one).say_all(owner.user, [b"x"] * 5), phone(other).say_all(owner.user, [b"x"] * 5)]
    reader = phone(owner)
    first, second = (answers[0].conversation for answers in sent)
    for point, left in ((sent[0][1], 3), (sent[0][4], 0)):
        update = reader.read(first, point.sequence)
        got = (update.unread, update.total_unread)
        assert got == (left, left + 5), f"expected {left} and {left + 5} in READ_UPDATE, got {got}"
        assert_counts(reader, {first: left, second: 5}, f"after reading up to {point.sequence}")


@pytest.mark.clause("UNR.2")
def test_reading_again_or_an_older_point_changes_nothing(block: Block, phone: MakePhone) -> None:
    """... reading twice, an older point ... changes nothing further.

    Of five messages, the third is read, read again, then the first and the second. Expected: two stay unread
    all the time.
    """
    sender, owner = block.pick(2)
    sent = phone(sender).say_all(owner.user, [b"x"] * 5)
    reader, name = phone(owner), sent[0].conversation
    for number in (2, 2, 0, 1, 2):
        update = reader.read(name, sent[number].sequence)
        assert (update.unread, update.total_unread) == (2, 2), (
            f"after reading message {number + 1} of 5: expected 2 and 2 in READ_UPDATE, got "
            f"{update.unread} and {update.total_unread}"
        )
        assert_counts(reader, {name: 2}, f"after reading message {number + 1} of 5")


@pytest.mark.clause("UNR.2")
def test_reading_beyond_the_newest_reads_what_is_there(block: Block, phone: MakePhone) -> None:
    """... counts are never negative: and what is not there yet cannot be read.

    A conversation of three messages is read up to a sequence far beyond. Expected: nothing is unread; two
    messages that come later are, until they are read.
    """
    sender, owner = block.pick(2)
    source, reader = phone(sender), phone(owner)
    sent = source.say_all(owner.user, [b"x"] * 3)
    name = sent[-1].conversation
    reader.read(name, sent[-1].sequence + 1_000_000, reached=sent[-1].sequence)
    assert_counts(reader, {}, "after reading beyond the newest")
    later = source.say_all(owner.user, [b"y"] * 2)
    assert_counts(reader, {name: 2}, "after two more messages")
    for left, sent_later in ((1, later[0]), (0, later[1])):
        reader.read(name, sent_later.sequence)
        assert_counts(reader, {name: left}, f"after reading all of them but {left}")


@pytest.mark.clause("UNR.2")
def test_two_devices_that_read_at_once_read_once(block: Block, phone: MakePhone) -> None:
    """... or from two devices at once changes nothing further.

    Ten times, ten messages come and two devices read at the same moment: the same point, or different ones.
    Expected: what lies beyond the further point stays unread, in count and total.
    """
    sender, owner = block.pick(2)
    source = phone(sender)
    devices = [phone(owner, "phone"), phone(owner, "tablet")]
    for turn in range(10):
        sent = source.say_all(owner.user, [b"x"] * 10)
        name = sent[0].conversation
        points = (sent[9 - turn % 4].sequence, sent[9 - turn % 3].sequence)
        jobs = [gevent.spawn(each.read, name, point) for each, point in zip(devices, points, strict=True)]
        gevent.joinall(jobs, raise_error=True)
        left = sum(each.sequence > max(points) for each in sent)
        for each in devices:
            assert_counts(each, {name: left}, f"turn {turn}, after reading from two devices")
        devices[0].read(name, sent[9].sequence)


@pytest.mark.clause("UNR.2")
def test_own_messages_do_not_count(block: Block, phone: MakePhone) -> None:
    """... own messages do not count.

    A user writes to a friend and to a group, before and between messages of theirs, and reads up to a point
    with own messages behind it. Expected: his counts are the others' messages only; the friend's are his.
    """
    owner, friend = block.pick(2)
    own, other = phone(owner), phone(friend)
    name = conversation_between(owner.user, friend.user)
    own.say(friend.user, b"mine")
    own.say(block.group, b"mine")
    assert_counts(own, {}, "after own messages only")
    first = other.say(owner.user, b"yours")
    own.say(friend.user, b"mine again")
    other.say(owner.user, b"yours again")
    own.say(friend.user, b"mine at the end")
    assert_counts(own, {name: 2}, "with two messages of a friend among own ones")
    assert_counts(other, {name: 3, block.group: 1}, "with the messages of the user")
    own.read(name, first.sequence)
    assert_counts(own, {name: 1}, "after reading the friend's first")


@pytest.mark.clause("UNR.2")
def test_reads_among_running_sends_leave_exact_counts(
    block: Block, phone: MakePhone, dice: random.Random
) -> None:
    """... counts are never negative, and exact afterwards.

    While a friend sends a hundred messages, two devices of the recipient read what they have got so far.
    Expected: at the end the messages beyond the furthest read point are unread; a read of all leaves none.
    """
    sender, owner = block.pick(2)
    source = phone(sender)
    devices = [phone(owner, "phone"), phone(owner, "tablet")]
    name = conversation_between(sender.user, owner.user)
    points: list[int] = []

    def read_along(each: Phone) -> None:
        for _ in range(15):
            each.listen(dice.uniform(0.0, 0.02))
            if each.pushes:
                points.append(each.pushes[-1].sequence)
                each.read(name, points[-1])

    def send() -> list[int]:
        return [source.say(owner.user, b"x").sequence for _ in range(100)]

    sending = gevent.spawn(send)
    gevent.joinall([gevent.spawn(read_along, each) for each in devices], raise_error=True)
    sequences = sending.get()
    left = sum(sequence > max(points, default=0) for sequence in sequences)
    assert_counts(devices[0], {name: left}, "after all is sent and some is read")
    devices[1].read(name, sequences[-1])
    assert_counts(devices[0], {}, "after all is read")
