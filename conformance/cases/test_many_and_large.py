"""What holds for the first message and the small package holds for the thousandth and the large one too."""

import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import MakePhone
from conformance.packages import package, say_package, try_package
from conformance.phone import fresh_cid
from protocol.limits import MAX_MESSAGE_BODY_BYTES, MAX_PACKAGE_ITEMS
from protocol.messages import Error, Ping, Pong

_PARTS = 11


@pytest.mark.clause("CHN.2")
@pytest.mark.needs("packages")
@pytest.mark.only_over(
    "tcp", "tls", "ws", "wss", "longpoll",
    why="a short poll is answered at once, and what is new waits for the next",
)  # fmt: skip
def test_pushes_go_on_however_many_there_were(block: Block, phone: MakePhone) -> None:
    """Messages are received by push on the long connection: also the eleven hundredth over the same one.

    A friend sends packages of a hundred; the recipient acknowledges each, pulls nothing, and never logs in
    again. Expected: every message is pushed, in order.
    """
    owner, friend = block.pick(2)
    silent, source = phone(owner), phone(friend)
    for part in range(_PARTS):
        bodies = [b"%d/%d" % (part, number) for number in range(MAX_PACKAGE_ITEMS)]
        say_package(source, owner.user, bodies)
        silent.await_push(bodies[-1])
        silent.acknowledge(len(silent.pushes))
    versions = [push.version for push in silent.pushes]
    wanted = list(range(1, _PARTS * MAX_PACKAGE_ITEMS + 1))
    assert versions == wanted, f"expected the pushes 1 to {wanted[-1]}, got {len(versions)} or others"


@pytest.mark.clause("ORD.4", "STO.1")
@pytest.mark.needs("packages", "history")
@pytest.mark.parametrize(("count", "size_bytes"), [(3, 30_000), (10, 20_000), (MAX_PACKAGE_ITEMS, 1_000)])
def test_a_large_package_stays_in_order(block: Block, phone: MakePhone, count: int, size_bytes: int) -> None:
    """Related messages sent as one package ... appear adjacent and in the given order: however large it is.

    A package of many bytes goes to the group while a member writes too. Expected: pushes, inboxes and the
    history have its messages side by side, in order, as they were sent.
    """
    sender, other, reader = block.members()[:3]
    source, disturbing, target = phone(sender), phone(other), phone(reader)
    bodies = [b"%d " % number + bytes(size_bytes) for number in range(count)]
    frame = package(fresh_cid(), block.group, bodies)
    source.wire.send(frame)
    disturbing.say_all(block.group, [b"meanwhile %d" % number for number in range(10)])
    target.await_push(bodies[-1])
    target.await_push(b"meanwhile 9")
    ways = {
        "pushed": [push.body for push in target.pushes],
        "pulled": [entry.body for entry in target.inbox()],
        "in the history": [entry.body for entry in target.history(block.group).entries][::-1],
    }
    for way, found in ways.items():
        assert bodies[0] in found, f"{way}: expected the package, its first message is not there"
        first = found.index(bodies[0])
        assert found[first : first + count] == bodies, f"{way}: expected the package together and in order"


@pytest.mark.clause("DLV.8", "ORD.4")
@pytest.mark.needs("packages")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_package_with_one_item_too_large_is_refused(block: Block, phone: MakePhone, place: int) -> None:
    """A send that cannot be accepted (... too large ...) gets a definite error with a code, is not stored.

    One of three items, at each place, is a byte longer than a body may be. Expected: ERROR 413 that names the
    package, an empty inbox; and the same package with a body of just the size allowed is taken.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    bodies = [b"one", b"two", b"three"]
    bodies[place] = bytes(MAX_MESSAGE_BODY_BYTES + 1)
    answer = try_package(source, package(fresh_cid(), friend.user, bodies))
    assert isinstance(answer, Error), f"expected the package to be refused, got {answer}"
    assert answer.code == 413, f"expected 413, got {answer.code} {answer.text}"
    found = phone(friend).inbox()
    assert not found, f"expected nothing to be stored, got {len(found)} messages"
    bodies[place] = bytes(MAX_MESSAGE_BODY_BYTES)
    say_package(source, friend.user, bodies)


@pytest.mark.clause("DLV.4")
@pytest.mark.needs("packages")
def test_each_page_tells_the_newest_version_of_its_moment(block: Block, phone: MakePhone) -> None:
    """... a client that sees a gap pulls the missing range: PULLED says how far it goes, page by page.

    An inbox of fifty is pulled in tens; after each page a friend writes one more. Expected: every page's
    `newest` counts what has come before it, and `more` is true until its end is the newest.
    """
    owner, friend = block.pick(2)
    source, reader = phone(friend), phone(owner, "reader")
    say_package(source, owner.user, [b"%d" % number for number in range(50)])
    after, newest = 0, 50
    for _ in range(5):
        page = reader.pull(after, 10)
        assert page.newest == newest, f"the page after {after}: expected newest {newest}, got {page.newest}"
        after = page.entries[-1].version
        assert page.more == (after < newest), f"the page after {after - 10}: expected `more` to be true"
        source.say(owner.user, b"one more")
        newest += 1
    page = reader.pull(after, 100)
    assert (page.newest, page.entries[-1].version) == (newest, newest), (
        f"the last page: expected to end at {newest}, got {page.entries[-1].version} of {page.newest}"
    )


@pytest.mark.clause("ROM.1")
@pytest.mark.parametrize("size", [1, 3])
def test_in_groups_every_device_gets_it_too(block: Block, phone: MakePhone, size: int) -> None:
    """A message is pushed to every online device of its recipient: of each recipient, in groups as well.

    Every member has so many devices, and the sender two; he writes to the group from one of them. Expected:
    each other device gets the push once, with the same id and sequence.
    """
    members = block.members()
    devices = [phone(user, f"d{number}") for user in members for number in range(size + (user is members[0]))]
    sent = devices[0].say(block.group, b"to all of you")
    for each in devices[1:]:
        push = each.await_push(b"to all of you")
        assert (push.mid, push.sequence) == (sent.mid, sent.sequence), (
            f"{each.name}: expected message {sent.mid}, got {push.mid}"
        )
        assert len(each.times_of(push.body)) == 1, f"{each.name}: expected the push once"


@pytest.mark.clause("HBT.3", "HBT.4")
@pytest.mark.waits
@on_a_connection("over polls no connection rests that could be cleared")
@pytest.mark.calm("it watches connections for longer than a plan leaves them alone")
def test_devices_of_one_user_keep_intervals_of_their_own(block: Block, phone: MakePhone) -> None:
    """A connection with timely heartbeats is never cleared: its own interval counts, not another device's.

    Two devices of a user have agreed on 60 s; then a third logs in with 1 s, a fourth changes from 60 s to
    1 s, and both beat each half second. Expected: after six seconds without a word the first two still get an
    answer.
    """
    (owner,) = block.pick(1)
    patient = [phone(owner, name, heartbeat_s=60) for name in ("first", "second")]
    hasty = [phone(owner, "third", heartbeat_s=1), phone(owner, "fourth", heartbeat_s=60)]
    hasty[1].wire.send(Ping(1))
    hasty[1].expect(Pong)
    for _ in range(12):
        for each in hasty:
            each.listen(0.25)
            each.beat()
    for each in patient:
        each.beat()
