"""ORD.4: a package is accepted all or none, and its messages stay together."""

import random
from collections.abc import Callable, Sequence

import gevent
import pytest

from conformance.accounts import Block, User
from conformance.clients import MakeDevice, MakePhone
from conformance.packages import package, package_answer, say_package, try_package
from conformance.phone import Phone, fresh_cid, log_in
from drivers.pumps.wire import Wire
from protocol import frames
from protocol.limits import MAX_MESSAGE_BODY_BYTES, MAX_PACKAGE_ITEMS
from protocol.messages import Entry, Error, Item, PackageSent, Push, SendPackage

pytestmark = pytest.mark.clause("ORD.4")


def texts(label: str, count: int) -> list[bytes]:
    return [f"{label}/{number}".encode() for number in range(count)]


def assert_placed_together(answer: PackageSent, count: int) -> None:
    """Consecutive sequences and increasing ids, one for each item."""
    sequences = [each.sequence for each in answer.placed]
    first = sequences[0] if sequences else 0
    wanted = list(range(first, first + count))
    assert sequences == wanted, f"expected {count} adjacent sequences, got {sequences}"
    mids = [each.mid for each in answer.placed]
    assert mids == sorted(set(mids)), f"expected ids that increase in the order of the items, got {mids}"


@pytest.mark.parametrize("to", ["a friend", "the group"])
@pytest.mark.needs("history")
def test_a_package_appears_adjacent_and_in_order_to_everybody(
    block: Block, phone: MakePhone, to: str
) -> None:
    """Related messages sent as one package ... appear adjacent and in the given order to every recipient.

    Packages of one, of seven and of the most that are allowed are sent. Expected: PACKAGE_SENT places each
    item, adjacent and in order; pushes, inboxes and history of every party say the same.
    """
    sender, *others = block.members() if to == "the group" else block.pick(2)
    name = block.group if to == "the group" else others[0].user
    source, targets = phone(sender), [phone(user) for user in others]
    wanted: list[tuple[int, int, bytes]] = []
    for count in (1, 7, MAX_PACKAGE_ITEMS):
        bodies = texts(f"of {count}", count)
        answer = say_package(source, name, bodies)
        assert_placed_together(answer, count)
        wanted += [(at.mid, at.sequence, body) for at, body in zip(answer.placed, bodies, strict=True)]
    for each in targets:
        each.await_push(wanted[-1][2])
        pushed = [(push.mid, push.sequence, push.body) for push in each.pushes]
        assert pushed == wanted, f"{each.name}: expected the pushes in the order of the packages"
    for each in (source, *targets):
        held = [(entry.mid, entry.sequence, entry.body) for entry in each.inbox()]
        assert held == wanted, f"{each.name}: expected the inbox to hold the packages in order"
        page = each.history(answer.conversation)
        listed = [(entry.mid, entry.sequence, entry.body) for entry in reversed(page.entries)]
        assert listed == wanted, f"{each.name}: expected the history to show the packages in order"


_GOOD = Item("text", b"good")
_BAD = {
    "an unknown kind": (415, Item("hologram", b"bad")),
    "a body that is too large": (413, Item("text", b"x" * (MAX_MESSAGE_BODY_BYTES + 1))),
}


@pytest.mark.parametrize("flaw", _BAD)
@pytest.mark.parametrize("position", [0, 2, 4])
def test_one_bad_message_refuses_all(block: Block, phone: MakePhone, flaw: str, position: int) -> None:
    """... accepted all or none: one that cannot be accepted keeps the others out.

    A package of five with a flaw in one is sent between two good messages. Expected: a definite error that
    names the package; neither party has any of it, and it took no version.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    before = source.say(recipient.user, b"before")
    code, bad = _BAD[flaw]
    items = [bad if number == position else _GOOD for number in range(5)]
    answer = try_package(source, SendPackage(fresh_cid(), recipient.user, items))
    assert isinstance(answer, Error), f"a package with {flaw}: expected ERROR {code}, got {answer}"
    assert (answer.code, answer.fatal) == (code, False), f"expected ERROR {code}, not fatal, got {answer}"
    after = source.say(recipient.user, b"after")
    step = after.version - before.version
    assert step == 1, f"expected the refused package to take no version, got a step of {step}"
    for each in (source, target):
        found = [entry.body for entry in each.inbox()]
        assert found == [b"before", b"after"], f"{each.name}: expected nothing of the package, found {found}"


def test_a_package_to_who_may_not_get_it_is_refused_as_a_whole(block: Block, phone: MakePhone) -> None:
    """... accepted all or none: here none, because nothing may be sent there at all.

    Packages go to a stranger, to nobody, and to a group by somebody who is not in it. Expected: 403, 404
    and 403 with the package's id; nobody has anything.
    """
    sender = block.account(block.outsiders[0])
    stranger, member = block.account(block.strangers[0]), block.members()[0]
    source = phone(sender)
    for to, code in ((stranger.user, 403), (f"nobody-{fresh_cid()}", 404), (block.group, 403)):
        answer = try_package(source, package(fresh_cid(), to, texts("x", 3)))
        assert isinstance(answer, Error), f"to {to}: expected ERROR {code}, got {answer}"
        assert answer.code == code, f"to {to}: expected ERROR {code}, got {answer.code} {answer.text}"
    for user in (sender, stranger, member):
        found = phone(user, "reader").inbox()
        assert found == [], f"{user.user}: expected an empty inbox, found {found}"


def test_packages_of_no_size_are_refused(block: Block, phone: MakePhone, wire: Callable[[], Wire]) -> None:
    """... accepted all or none: a package of nothing, or of more than the protocol allows, is none.

    A package without messages and one with a message too many are sent. Expected: ERROR 400 or 413; nothing
    of them is stored.
    """
    sender, recipient = block.pick(2)
    for count in (0, MAX_PACKAGE_ITEMS + 1):
        connection = wire()
        log_in(connection, sender, f"device-{count}")
        connection.send(package(fresh_cid(), recipient.user, texts("x", count)))
        answer = connection.expect(Error)
        assert answer.code in (400, 413), f"{count} messages: expected ERROR 400 or 413, got {answer}"
    found = phone(recipient).inbox()
    assert found == [], f"expected nothing of either package, found {len(found)} messages"


def split_packages(entries: Sequence[Entry]) -> list[list[str]]:
    """Bodies `LABEL/NUMBER` in inbox order, cut wherever the label changes or the numbers start again."""
    runs: list[list[str]] = []
    for entry in entries:
        text = entry.body.decode()
        label, _, number = text.partition("/")
        if number == "0" or not runs or runs[-1][-1].partition("/")[0] != label:
            runs.append([])
        runs[-1].append(text)
    return runs


def test_packages_of_concurrent_senders_do_not_mix(
    block: Block, phone: MakePhone, dice: random.Random
) -> None:
    """... adjacent ... to every recipient: whatever others send at the same moment.

    The five members of a group send twelve packages and twelve single messages each at once, without
    waiting in between. Expected: for every member each package is in one piece, in order; all see the same
    order, and each sender's packages in the order in which they were sent.
    """
    members = block.members()
    phones = [phone(user) for user in members]
    sizes = {(number, turn): dice.randint(2, 9) for number in range(5) for turn in range(12)}

    def send(number: int) -> None:
        source, cids = phones[number], []
        for turn in range(12):
            cids.append(fresh_cid())
            bodies = texts(f"{number}-{turn}", sizes[number, turn])
            source.wire.send(package(cids[-1], block.group, bodies))
            source.say(block.group, f"{number}-{turn}-single/0".encode())
        answered = {message.cid for message in source.told if isinstance(message, PackageSent)}
        for cid in cids:
            if cid not in answered:
                package_answer(source, cid)

    gevent.joinall([gevent.spawn(send, number) for number in range(5)], raise_error=True)
    wanted = sorted(
        [[f"{number}-{turn}/{item}" for item in range(size)] for (number, turn), size in sizes.items()]
        + [[f"{number}-{turn}-single/0"] for number in range(5) for turn in range(12)]
    )
    orders = []
    for each in phones:
        inbox = each.inbox()
        runs = split_packages(inbox)
        assert sorted(runs) == wanted, (
            f"{each.name}: expected every package in one piece, got these pieces besides: "
            f"{[run for run in runs if run not in wanted][:4]}"
        )
        orders.append([run[0] for run in runs])
        sequences = [entry.sequence for entry in inbox]
        assert sequences == sorted(set(sequences)), f"{each.name}: expected increasing sequences"
    assert all(order == orders[0] for order in orders), "expected the same order for every member"
    for number in range(5):
        own = [name for name in orders[0] if name.startswith(f"{number}-") and "single" not in name]
        sent = [f"{number}-{turn}/0" for turn in range(12)]
        assert own == sent, f"expected the packages of sender {number} in the order of sending, got {own}"


def assert_once(phone: MakePhone, users: Sequence[User], bodies: list[bytes], when: str) -> None:
    for user in users:
        found = [entry.body for entry in phone(user, "reader").inbox()]
        assert found == bodies, f"{user.user}, {when}: expected the package once, found {found}"


def test_a_repeat_gets_the_first_answer_and_stores_nothing(block: Block, phone: MakePhone) -> None:
    """... accepted: once; a package that is repeated is answered as the first time.

    A package is sent three times in one piece, then again, then on another connection of the same device,
    then with other content. Expected: one and the same PACKAGE_SENT each time, and the package stored once.
    """
    sender, recipient = block.pick(2)
    source, cid, bodies = phone(sender), fresh_cid(), texts("once", 4)
    frame = package(cid, recipient.user, bodies)
    source.wire.send(frame, frame, frame)
    answers = [package_answer(source, cid) for _ in range(3)]
    answers.append(try_package(source, frame))
    source.hang_up()
    back = phone(sender)
    answers.append(try_package(back, frame))
    answers.append(try_package(back, package(cid, recipient.user, texts("other", 2))))
    different = [answer for answer in answers if answer != answers[0]]
    assert not different, f"expected the same answer each time, {answers[0]}, got also {different}"
    assert_once(phone, (sender, recipient), bodies, "after five repeats")


def test_an_interrupted_package_is_there_once(
    block: Block, phone: MakePhone, device: MakeDevice, dice: random.Random
) -> None:
    """... all or none: also when the sender's connection ends in the middle of it, and it sends again.

    A package is cut off at ten points within its frame, and twice after it without waiting for the answer;
    each time it is repeated. Expected: each of the twelve packages is there once and whole.
    """
    sender, recipient = block.pick(2)
    target = device(recipient)
    target.log_in()
    wanted = []
    for turn in range(12):
        frame = package(fresh_cid(), recipient.user, texts(f"turn {turn}", 5))
        data = frames.encode(frame)
        source = phone(sender)
        source.wire.send_bytes(data[: dice.randrange(1, len(data))] if turn < 10 else data)
        source.hang_up()
        answer = try_package(phone(sender), frame)
        assert isinstance(answer, PackageSent), f"turn {turn}: expected PACKAGE_SENT, got {answer}"
        assert_placed_together(answer, 5)
        wanted += texts(f"turn {turn}", 5)
    target.await_delivered(wanted[-1])
    shown = [entry.body for entry in target.timeline()]
    assert shown == wanted, f"expected the twelve packages, each once and whole, got {shown}"


def test_a_path_that_loses_pushes_does_not_tear_a_package(
    block: Block, phone: MakePhone, device: MakeDevice, dice: random.Random
) -> None:
    """... appear adjacent and in the given order to every recipient: whatever gets lost on the way.

    A third of all pushes to a recipient get lost while two friends send ten packages each. Expected: it
    shows every package in one piece and in order.
    """
    recipient, *friends = block.pick(3)
    target = device(recipient, heartbeat_s=1)
    target.lose = lambda direction, message: isinstance(message, Push) and dice.random() < 0.3
    target.log_in()
    sources: list[Phone] = [phone(user) for user in friends]

    def send(number: int) -> None:
        for turn in range(10):
            say_package(sources[number], recipient.user, texts(f"{number}-{turn}", 5))

    gevent.joinall([gevent.spawn(send, number) for number in range(2)], raise_error=True)
    newest = phone(recipient, "reader").logged_in.version
    target.await_version(newest)
    wanted = sorted([f"{n}-{turn}/{item}" for item in range(5)] for n in range(2) for turn in range(10))
    for friend in friends:
        shown = split_packages([entry for entry in target.timeline() if entry.sender == friend.user])
        assert all(run in wanted for run in shown), f"expected whole packages of {friend.user}, got {shown}"
    count = len(target.timeline())
    assert count == 100, f"expected all hundred messages, each once, got {count}"
