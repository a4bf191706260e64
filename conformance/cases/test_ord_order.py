"""ORD.1 to ORD.3: sortable ids, one order for all, each sender's own order, a timeline always in order."""

import itertools
import random
from collections.abc import Sequence

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakePhone
from conformance.phone import Phone, fresh_cid
from drivers.events import Delivered
from drivers.pumps.blocking import Device
from protocol.messages import Message, Push, Send, Sent
from protocol.names import conversation_between


def assert_increasing(numbers: Sequence[int], what: str) -> None:
    """Each number is greater than the one before."""
    for before, after in itertools.pairwise(numbers):
        assert before < after, f"{what}: expected strictly increasing numbers, got {after} after {before}"


@pytest.mark.clause("ORD.1")
def test_all_devices_of_all_members_show_one_order(block: Block, phone: MakePhone) -> None:
    """In a conversation, the sequence is strictly increasing, and every device of every member shows the same
    order.

    Five members with two devices each write thirty messages each to their group at the same time. Expected:
    at each device the pushes come with increasing sequences and ids; all agree on which message has which.
    """
    members = block.members()
    phones = {user.user: [phone(user, "phone"), phone(user, "tablet")] for user in members}
    jobs = {
        user: gevent.spawn(own[0].say_all, block.group, [f"{user} {n}".encode() for n in range(30)])
        for user, own in phones.items()
    }
    sent = {user: job.get() for user, job in jobs.items()}
    order = {answer.sequence: answer.mid for answers in sent.values() for answer in answers}
    assert len(order) == 150, f"expected 150 sequences for 150 messages, got {len(order)}"
    by_sequence = sorted(order.items())
    assert_increasing([mid for _, mid in by_sequence], "message ids in the order of the sequences")
    for own in phones.values():
        for each in own:
            pushes = listen_for(each, sent, order)
            assert_increasing([push.sequence for push in pushes], f"{each.name}: sequences as pushed")
            for push in pushes:
                assert order.get(push.sequence) == push.mid, (
                    f"{each.name}: sequence {push.sequence} is message {push.mid} here, and "
                    f"{order.get(push.sequence)} to its sender"
                )


def listen_for(phone: Phone, sent: dict[str, list[Sent]], order: dict[int, int]) -> list[Push]:
    """The first push of each message that the device has to get: those of others, and of other devices."""
    own = {answer.sequence for answer in sent[phone.user]} if phone.name.endswith("/phone") else set()
    missing = order.keys() - own - {push.sequence for push in phone.pushes}
    while missing:
        missing.discard(phone.expect(Push).sequence)
    first: dict[int, Push] = {}
    for push in phone.pushes:
        first.setdefault(push.version, push)
    return list(first.values())


@pytest.mark.clause("ORD.1")
def test_what_was_accepted_later_comes_later(block: Block, phone: MakePhone) -> None:
    """... the sequence is strictly increasing in the order in which the server accepted the messages.

    Five members take turns: each writes to the group when the one before has its SENT. Expected: sequences
    and ids increase from turn to turn.
    """
    phones = [phone(user) for user in block.members()]
    sent = [phones[turn % 5].say(block.group, str(turn).encode()) for turn in range(40)]
    assert_increasing([answer.sequence for answer in sent], "sequences from turn to turn")
    assert_increasing([answer.mid for answer in sent], "message ids from turn to turn")


@pytest.mark.clause("ORD.1")
def test_every_message_has_an_id_of_its_own(block: Block, phone: MakePhone) -> None:
    """Every message has a sortable id, in all conversations together.

    Six friends write in a circle and to the group at the same time. Expected: no id is given twice, and in
    each conversation ids increase with the sequence.
    """
    friends = block.pick(6)
    phones = [phone(user) for user in friends]

    def write(number: int) -> list[Sent]:
        following = friends[(number + 1) % 6].user
        answers = phones[number].say_all(following, [f"{number} {n}".encode() for n in range(25)])
        if friends[number].user in block.group_members:
            answers += phones[number].say_all(block.group, [f"all {number} {n}".encode() for n in range(25)])
        return answers

    jobs = [gevent.spawn(write, number) for number in range(6)]
    sent = [answer for job in jobs for answer in job.get()]
    assert len({answer.mid for answer in sent}) == len(sent), f"expected {len(sent)} different message ids"
    for conversation in {answer.conversation for answer in sent}:
        own = sorted((a.sequence, a.mid) for a in sent if a.conversation == conversation)
        assert_increasing([sequence for sequence, _ in own], f"{conversation}: sequences")
        assert_increasing([mid for _, mid in own], f"{conversation}: ids in the order of the sequences")


@pytest.mark.clause("ORD.1")
@pytest.mark.needs("history")
def test_push_pull_and_history_agree_on_the_order(block: Block, phone: MakePhone) -> None:
    """... every device of every member shows the same order, whichever way it got the messages.

    Two friends write to each other at the same time. Expected: pushes, a new device's pull and the history
    show one order.
    """
    one, other = block.pick(2)
    first, second, watcher = phone(one), phone(other), phone(one, "watcher")
    jobs = [
        gevent.spawn(first.say_all, other.user, [f"first {n}".encode() for n in range(30)]),
        gevent.spawn(second.say_all, one.user, [f"second {n}".encode() for n in range(30)]),
    ]
    sent = sorted((answer for job in jobs for answer in job.get()), key=lambda answer: answer.sequence)
    mids = [answer.mid for answer in sent]
    for _ in range(60 - len(watcher.pushes)):
        watcher.expect(Push)
    ways = {
        "pushed": [push.mid for push in watcher.pushes],
        "pulled": [entry.mid for entry in phone(other, "reader").inbox()],
        "history": [
            entry.mid for entry in reversed(first.history(conversation_between(one.user, other.user)).entries)
        ],
    }
    for way, got in ways.items():
        assert got == mids, f"{way}: expected the order of the sequences in the SENTs, {mids}, got {got}"


@pytest.mark.clause("ORD.2")
def test_sends_in_one_piece_keep_their_order(block: Block, phone: MakePhone) -> None:
    """Messages of one sender in one conversation keep the order in which they were first sent.

    Five times, fifty messages go out in one piece, without waiting. Expected: sequences increase in the order
    of sending, and the recipient is pushed them in this order.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    bodies = [f"in order {number}".encode() for number in range(250)]
    sent: list[Sent] = []
    for part in range(5):
        sent += source.say_all(recipient.user, bodies[50 * part : 50 * part + 50])
    assert_increasing([answer.sequence for answer in sent], "sequences in the order of sending")
    target.await_push(bodies[-1])
    first = list(dict.fromkeys(push.body for push in target.pushes))
    assert first == bodies, "expected the recipient to be pushed the messages in the order of sending"


@pytest.mark.clause("ORD.2")
def test_several_conversations_of_one_sender_keep_their_order(block: Block, phone: MakePhone) -> None:
    """... in one conversation keep the order in which they were first sent, with others in between.

    A member writes in one piece to a friend, to the group and to another friend in turn. Expected: in each of
    the three conversations the messages arrive in the order of sending.
    """
    sender, friend, other = block.pick(3)
    source, target = phone(sender), phone(friend)
    other_target = phone(other)
    for number in range(20):
        source.say_all(friend.user, [f"friend {number} {n}".encode() for n in range(3)])
        source.say_all(block.group, [f"group {number} {n}".encode() for n in range(3)])
        source.say_all(other.user, [f"other {number} {n}".encode() for n in range(3)])
    target.await_push(b"group 19 2")
    other_target.await_push(b"other 19 2")
    for each, label in ((target, "friend"), (target, "group"), (other_target, "other")):
        came = [push.body.decode() for push in each.pushes]
        got = list(dict.fromkeys(body for body in came if body.startswith(label)))
        expected = [f"{label} {number} {n}" for number in range(20) for n in range(3)]
        assert got == expected, f"{each.name}: expected {label} messages in the order of sending, got {got}"


@pytest.mark.clause("ORD.2")
def test_small_messages_do_not_overtake_large_ones(block: Block, phone: MakePhone) -> None:
    """Messages of one sender in one conversation keep the order in which they were first sent, whatever they
    are.

    Messages of every kind, some of 60,000 bytes between others of a few, go out in one piece to a friend and
    to the group. Expected: sequences increase in the order of sending, and so does what a member is pushed.
    """
    sender, friend = block.pick(2)
    source, target = phone(sender), phone(friend)
    kinds = ("image", "text", "video", "text", "custom", "audio", "text", "file")
    for to in (friend.user, block.group):
        sends = [
            Send(fresh_cid(), to, kind, f"{to} {n}".encode() + bytes(60_000 * (n % 3 == 0)))
            for n, kind in enumerate(kinds)
        ]
        source.wire.send(*sends)
        answers = source.answers_to([send.cid for send in sends])
        sent = [answer for answer in answers if isinstance(answer, Sent)]
        assert len(sent) == len(sends), f"expected all of {to} to be accepted, got {answers}"
        assert_increasing([answer.sequence for answer in sent], f"{to}: sequences in the order of sending")
        for send in sends:
            target.await_push(send.body)
        came = [
            push.body for push in target.pushes if push.attempt == 1 and push.body in {s.body for s in sends}
        ]
        got, wanted = [body[:40] for body in came], [send.body[:40] for send in sends]
        assert got == wanted, f"{target.name}: expected the pushes in the order of sending, got {got}"


@pytest.mark.clause("ORD.2")
@pytest.mark.waits
def test_order_survives_loss_and_reconnection(block: Block, device: MakeDevice, dice: random.Random) -> None:
    """... keep the order, also under loss, retransmission and reconnection.

    A client hands over thirty messages while the path loses a third of all frames of sends, answers and
    pushes, and its connection is reset again and again. Expected: the recipient shows them in the order in
    which they were handed over.
    """
    sender, recipient = block.pick(2)

    def lose(direction: str, message: Message) -> bool:
        return type(message).__name__ in ("Send", "Sent", "Push") and dice.random() < 0.3

    source = device(
        sender, heartbeat_s=1, retransmit_start_s=0.1, retransmit_cap_s=0.2, reconnect_base_s=0.05
    )
    target = device(recipient, heartbeat_s=1)
    for each in (source, target):
        each.lose = lose
        each.log_in()
    bodies = [f"{number:02}".encode() for number in range(30)]
    for body in bodies:
        source.send(recipient.user, body)

    def break_connections() -> None:
        while source.client.unfinished:
            gevent.sleep(dice.uniform(0.2, 0.5))
            source.cut()

    breaking = gevent.spawn(break_connections)
    target.await_delivered(bodies[-1], timeout_s=60)
    breaking.kill()
    shown = [entry.body for entry in target.timeline(conversation_between(sender.user, recipient.user))]
    assert shown == bodies, f"expected the order in which the messages were handed over, got {shown}"


def assert_timeline_always_in_order(device: Device) -> None:
    """After every delivery each conversation reads in the order of its sequences."""
    newest: dict[str, int] = {}
    for event in device.all_of(Delivered):
        entry = event.entry
        before = newest.get(entry.conversation, 0)
        assert entry.sequence > before, (
            f"{device.name}: expected the timeline of {entry.conversation} to stay in order, "
            f"sequence {entry.sequence} was shown after {before}"
        )
        newest[entry.conversation] = entry.sequence


@pytest.mark.clause("ORD.3")
def test_a_timeline_is_in_order_after_every_delivery(
    block: Block, device: MakeDevice, phone: MakePhone, dice: random.Random
) -> None:
    """A client that receives out of order: its timeline is in order after every delivery.

    Five members write to their group at the same time. The path to one member's device loses the first copy
    of every third push, so that repeats and pulls come behind newer messages. Expected: all are shown, and
    the conversation reads in the order of its sequences at every moment.
    """
    members = block.members()
    target = device(members[0], heartbeat_s=1)
    lost: set[int] = set()

    def lose(direction: str, message: Message) -> bool:
        if isinstance(message, Push) and message.version % 3 == 1 and message.version not in lost:
            lost.add(message.version)
            return True
        return False

    target.lose = lose
    target.log_in()
    phones = [phone(user, "writer") for user in members]
    bodies = [[f"{number} {n}".encode() for n in range(20)] for number in range(5)]
    jobs = [gevent.spawn(e.say_all, block.group, b) for e, b in zip(phones, bodies, strict=True)]
    gevent.joinall(jobs, raise_error=True)
    for body in (body for texts in bodies for body in texts):
        target.await_delivered(body)
    assert lost, "the case expected pushes to be lost"
    assert_timeline_always_in_order(target)


@pytest.mark.clause("ORD.3")
def test_a_timeline_is_in_order_across_reconnections(
    block: Block, device: MakeDevice, dice: random.Random
) -> None:
    """... after every delivery: also when pulls after a login meet pushes.

    Two friends write to each other while the connections of one are reset again and again. Expected: his
    timeline, with his own messages and the friend's, is in order after every delivery.
    """
    one, other = block.pick(2)
    restless = device(one, heartbeat_s=1, reconnect_base_s=0.05)
    steady = device(other, heartbeat_s=1)
    for each in (restless, steady):
        each.log_in()

    def talk(source: Device, to: str) -> None:
        for number in range(25):
            source.send_and_await(to, f"{source.name} {number}".encode(), timeout_s=20)

    jobs = [gevent.spawn(talk, restless, other.user), gevent.spawn(talk, steady, one.user)]
    while not all(job.ready() for job in jobs):
        gevent.sleep(dice.uniform(0.02, 0.08))
        restless.cut()
    gevent.joinall(jobs, raise_error=True)
    restless.send_and_await(other.user, b"I am here")
    steady.send_and_await(one.user, b"the end")
    restless.await_delivered(b"the end")
    assert_timeline_always_in_order(restless)
    assert_timeline_always_in_order(steady)
