"""UNR.3: counts stay exact when many write at once and when much has to be sent twice.

What kill -9 does to counts is in test_crashes.py.
"""

import random

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import Clients, MakeDevice, MakePhone
from conformance.packages import package, package_answer
from conformance.phone import Phone, fresh_cid
from drivers.events import Acked
from protocol.messages import Send, Sent
from protocol.names import conversation_between

pytestmark = pytest.mark.clause("UNR.3")


def assert_exact(reader: Phone, expected: dict[str, int], when: str) -> None:
    total, counts = reader.unread()
    wanted = {name: count for name, count in expected.items() if count}
    assert counts == wanted, f"{reader.name}, {when}: expected the counts {wanted}, got {counts}"
    assert total == sum(wanted.values()), (
        f"{reader.name}, {when}: expected a total of {sum(wanted.values())}, got {total}"
    )


def test_a_hundred_concurrent_senders(block: Block, clients: Clients, phone: MakePhone) -> None:
    """Counts stay exact under ... concurrent sends from 100 senders.

    A hundred connections of six friends write to one user and, where they may, to his group: each twelve
    messages in one piece, every third of them repeated. Expected: every count is the number of messages,
    and so is what the inbox holds; the other members' counts of the group are exact, too.
    """
    owner, *friends = block.pick(7)
    sources = [clients.phone(friends[number % len(friends)], f"device-{number}") for number in range(100)]
    expected = {conversation_between(owner.user, friend.user): 0 for friend in friends}
    expected[block.group] = 0
    for source in sources:
        expected[conversation_between(owner.user, source.user)] += 12
        expected[block.group] += 12 * (source.user in block.group_members)

    def write(source: Phone) -> None:
        recipients = [owner.user] * 12 + [block.group] * 12 * (source.user in block.group_members)
        sends = [Send(fresh_cid(), to, "text", b"x") for to in recipients]
        repeated = [twice for n, send in enumerate(sends) for twice in [send] * (1 + (n % 3 == 0))]
        source.wire.send(*repeated)
        for _ in repeated:
            source.expect(Sent)

    gevent.joinall([gevent.spawn(write, source) for source in sources], raise_error=True)
    reader = phone(owner, "reader")
    assert_exact(reader, expected, "after a hundred senders")
    held = len(reader.inbox())
    assert held == sum(expected.values()), f"expected {sum(expected.values())} messages, found {held}"
    member = block.account(block.group_members[1])
    others = 12 * sum(source.user in block.group_members and source.user != member.user for source in sources)
    assert_exact(phone(member, "reader"), {block.group: others}, "in the same group")


def test_retransmission_counts_nothing_twice(
    block: Block, phone: MakePhone, device: MakeDevice, dice: random.Random
) -> None:
    """Counts stay exact under retransmission.

    Half of all acknowledgements to four senders get lost, and their connections are reset now and then, so
    that they repeat what they send; the recipient reads meanwhile. Expected: the counts are exactly what
    lies beyond the point read; after reading all they are zero.
    """
    owner, *friends = block.pick(5)
    sources = [
        device(user, retransmit_start_s=0.1, retransmit_cap_s=0.2, reconnect_base_s=0.05) for user in friends
    ]
    for source in sources:
        source.lose = lambda direction, message: isinstance(message, Sent) and dice.random() < 0.5
        source.log_in()

    def write(number: int) -> None:
        for turn in range(12):
            to = block.group if turn % 3 == 0 and friends[number].user in block.group_members else owner.user
            sources[number].send_and_await(to, f"{number} {turn}".encode(), timeout_s=20)
            if dice.random() < 0.1:
                sources[number].cut()

    writing = [gevent.spawn(write, number) for number in range(4)]
    reader = phone(owner, "reader")
    points: dict[str, int] = {}
    while not all(each.ready() for each in writing):
        reader.listen(0.05)
        if reader.pushes:
            push = dice.choice(reader.pushes)
            reader.read(push.conversation, push.sequence, reached=points.get(push.conversation, 0))
            points[push.conversation] = max(points.get(push.conversation, 0), push.sequence)
    gevent.joinall(writing, raise_error=True)
    inbox = reader.inbox()
    repeated = sum(acked.attempts > 1 for source in sources for acked in source.all_of(Acked))
    assert repeated > 5, f"the case expected many sends to be repeated, {repeated} were"
    expected: dict[str, int] = {}
    for entry in inbox:
        if entry.sequence > points.get(entry.conversation, 0):
            expected[entry.conversation] = expected.get(entry.conversation, 0) + 1
    assert len(inbox) == 48, f"expected 48 messages in the inbox, found {len(inbox)}"
    assert_exact(reader, expected, "after retransmissions")
    for entry in inbox:
        reader.read(entry.conversation, entry.sequence, reached=0)
    assert_exact(reader, {}, "having read all")


@pytest.mark.needs("packages")
def test_packages_count_each_message_once(block: Block, phone: MakePhone) -> None:
    """Counts stay exact: a package counts as what is in it, also when it is repeated.

    Three members send ten packages of different sizes each to a group at once, every package twice.
    Expected: the count of each member is the number of messages of the others.
    """
    members = block.members()
    sources = [phone(user) for user in members[:3]]

    def write(source: Phone, size: int) -> None:
        frames = [package(fresh_cid(), block.group, [b"x"] * (size + turn)) for turn in range(10)]
        for frame in frames:
            source.wire.send(frame, frame)
            for _ in range(2):
                package_answer(source, frame.cid)

    writing = [gevent.spawn(write, source, size) for size, source in enumerate(sources, 1)]
    gevent.joinall(writing, raise_error=True)
    sent = {source.user: sum(size + turn for turn in range(10)) for size, source in enumerate(sources, 1)}
    for user in members:
        count = sum(sent.values()) - sent.get(user.user, 0)
        assert_exact(phone(user, "reader"), {block.group: count}, "after thirty packages")
