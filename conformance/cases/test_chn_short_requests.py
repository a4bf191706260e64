"""CHN.1 and CHN.8: short requests are another way into the same inbox, and one that is never held up."""

import time

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakePhone, MakeWeb
from conformance.phone import fresh_cid
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Error, Pull, ReadUpdate, Sent


@pytest.mark.clause("CHN.1")
@pytest.mark.needs("packages", "unread", "history")
def test_both_ways_lead_to_the_same_inbox(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """A message can be sent over a short HTTP request and over the long connection; both reach the same
    inbox with the same guarantees.

    A user sends ten messages, in turn by each way, single ones and a package, to a friend and to the group.
    Expected: the answers tell adjacent versions; the friend is pushed all of them with these ids, in order,
    and so is the sender's own connected device; inbox, history and unread counts are the same over both
    ways.
    """
    sender, friend = block.pick(2)
    source, short = phone(sender, "phone"), web(sender, "browser")
    target = phone(friend)
    mids: list[int] = []
    versions: list[int] = []
    for turn in range(5):
        to = friend.user if turn % 2 else block.group
        posted = short.say(to, f"posted {turn}".encode())
        sent = source.say(to, f"sent {turn}".encode())
        mids += [posted["mid"], sent.mid]
        versions += [posted["version"], sent.version]
    package = short.say_package(friend.user, [b"item 1", b"item 2", b"item 3"])
    mids += [each["mid"] for each in package["placed"]]
    assert versions == list(range(1, 11)), f"expected versions 1 to 10 over both ways, got {versions}"
    target.await_push(b"item 3")
    pushed = [push.mid for push in target.pushes if push.attempt == 1]
    assert pushed == mids, f"expected pushes of {mids} in this order, got {pushed}"
    source.await_push(b"item 3")
    own = [push.mid for push in source.pushes if push.attempt == 1]
    posts = [*mids[:10:2], *mids[10:]]
    assert own == posts, f"expected the sender's phone to be pushed what was posted, {posts}, got {own}"
    polled = [entry["mid"] for entry in web(friend).poll().entries]
    pulled = [entry.mid for entry in target.inbox()]
    assert polled == pulled == mids, f"expected {mids} over both ways, got {polled} and {pulled}"
    name = package["conversation"]
    asked = [entry["mid"] for entry in web(friend).history(name)]
    listed = [entry.mid for entry in target.history(name).entries]
    assert asked == listed, f"expected the same history over both ways, got {asked} and {listed}"
    counted = web(friend).ask("GET", "/v1/unread")
    told = target.unread()
    counts = {each["conversation"]: each["unread"] for each in counted["counts"]}
    assert (counted["total"], counts) == told, f"expected the same counts, got {counted} and {told}"


@pytest.mark.clause("CHN.1")
def test_a_repeat_by_the_other_way_is_still_a_repeat(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... with the same guarantees: a client that is not answered on one way repeats on the other.

    A message is sent by the long connection and repeated by short requests of the same device, another the
    other way round, a third at the same moment by both, ten times. Expected: one answer for each message,
    and each stored once.
    """
    sender, friend = block.pick(2)
    source, short = phone(sender, "phone"), web(sender, "phone")
    bodies = []

    def same(sent: Sent | Error, posted: dict[str, object], what: str) -> None:
        assert isinstance(sent, Sent), f"{what}: expected SENT, got {sent}"
        got = (posted["mid"], posted["sequence"], posted["version"], posted["conversation"])
        wanted = (sent.mid, sent.sequence, sent.version, sent.conversation)
        assert got == wanted, f"{what}: expected the same answer by both ways, {wanted}, got {got}"

    for turn in range(10):
        first, second, third = fresh_cid(), fresh_cid(), fresh_cid()
        sent = source.say(friend.user, first.encode(), cid=first)
        same(sent, short.say(friend.user, first.encode(), cid=first), "sent, then posted")
        posted = short.say(friend.user, second.encode(), cid=second)
        same(source.say(friend.user, second.encode(), cid=second), posted, "posted, then sent")
        posting = gevent.spawn(short.say, friend.user, third.encode(), cid=third)
        sent = source.say(friend.user, third.encode(), cid=third)
        same(sent, posting.get(), f"both at once, turn {turn}")
        bodies += [first.encode(), second.encode(), third.encode()]
    found = [entry.body for entry in phone(friend).inbox()]
    assert found == bodies, f"expected each of the 30 messages once, found {len(found)}"


@pytest.mark.clause("CHN.1")
def test_what_may_not_be_sent_is_refused_alike(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... the same guarantees: a definite error with the same code, and nothing stored.

    A message to a stranger, to nobody, to a foreign group, of an unknown kind, and one that is too large go
    by both ways. Expected: the same code by both; by HTTP as problem details; nobody has any of it.
    """
    sender = block.account(block.outsiders[0])
    friend, stranger = block.pick(1)[0], block.account(block.strangers[0])
    source, short = phone(sender), web(sender)
    wrong = [
        (403, stranger.user, "text", b"x"),
        (404, f"nobody-{fresh_cid()}", "text", b"x"),
        (403, block.group, "text", b"x"),
        (415, friend.user, "hologram", b"x"),
        (413, friend.user, "text", b"x" * (MAX_MESSAGE_BODY_BYTES + 1)),
    ]
    for code, to, kind, body in wrong:
        answer = source.try_to_say(to, body, kind=kind)
        reply = short.try_to_say(to, body, kind=kind)
        assert isinstance(answer, Error), f"{kind} to {to}: expected ERROR {code}, got {answer}"
        assert (answer.code, reply.status) == (code, code), (
            f"{kind} of {len(body)} bytes to {to}: expected {code} by both ways, got {answer.code} and "
            f"{reply.status}"
        )
        described = reply.headers.get("Content-Type", "")
        assert described.startswith("application/problem+json"), f"expected problem details, got {described}"
    for user in (sender, friend, stranger):
        found = phone(user, "reader").inbox()
        assert found == [], f"{user.user}: expected nothing to be stored, found {found}"


@pytest.mark.clause("CHN.1")
@pytest.mark.needs("unread")
def test_many_senders_by_both_ways_at_once(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... both reach the same inbox with the same guarantees: at the same moment.

    Three friends write to one user by the long connection and three by short requests, twenty messages
    each. Expected: the inbox has all 120 without a hole; each sender's are in the order of sending; the
    counts are exact; the user's connected device was pushed all.
    """
    owner, *friends = block.pick(7)
    target = phone(owner)
    phones, webs = [phone(user) for user in friends[:3]], [web(user) for user in friends[3:]]

    def write(number: int) -> None:
        for turn in range(20):
            body = f"{number} {turn}".encode()
            if number < 3:
                phones[number].say(owner.user, body)
            else:
                webs[number - 3].say(owner.user, body)

    gevent.joinall([gevent.spawn(write, number) for number in range(6)], raise_error=True)
    inbox = target.inbox()
    versions = [entry.version for entry in inbox]
    assert versions == list(range(1, 121)), f"expected versions 1 to 120, got {versions}"
    for number in range(6):
        own = [entry.body for entry in inbox if entry.body.startswith(f"{number} ".encode())]
        wanted = [f"{number} {turn}".encode() for turn in range(20)]
        assert own == wanted, f"sender {number}: expected twenty messages in order, got {own}"
    total, counts = target.unread()
    assert (total, set(counts.values())) == (120, {20}), f"expected 20 unread of each, got {counts}"
    target.await_push(inbox[-1].body)
    pushed = {push.version for push in target.pushes}
    assert pushed == set(versions), f"expected all to be pushed, missing {set(versions) - pushed}"


@pytest.mark.clause("CHN.1")
@pytest.mark.needs("unread")
def test_a_read_by_one_way_counts_for_the_other(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... the same inbox: also what is read in it.

    Of six messages two are read by a short request, then four by the long connection, then three by a short
    request again. Expected: both ways tell the same counts each time; the older point changes nothing.
    """
    owner, friend = block.pick(2)
    sent = phone(friend).say_all(owner.user, [b"x"] * 6)
    name = sent[0].conversation
    reader, short = phone(owner), web(owner)

    def post_read(number: int) -> int:
        content = {"conversation": name, "sequence": sent[number].sequence}
        unread: int = short.ask("POST", "/v1/read", content)["unread"]
        return unread

    def send_read(number: int) -> int:
        update: ReadUpdate = reader.read(name, sent[number].sequence)
        return update.unread

    for read, number, left in ((post_read, 1, 4), (send_read, 3, 2), (post_read, 2, 2)):
        got = (read(number), reader.unread()[0], short.ask("GET", "/v1/unread")["total"])
        assert got == (left, left, left), f"read up to message {number + 1}: expected {left} left, got {got}"


@pytest.mark.clause("CHN.8")
def test_a_stalled_reader_can_still_send(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """Up and down are isolated: while a client's down-link is saturated or its reader is stalled, its sends
    over the short connection are acknowledged within 2 s.

    A user's connection is not read while six megabytes are sent to him and he has asked for pages of more.
    He sends twenty messages by short requests meanwhile. Expected: each is acknowledged within 2 s, and
    delivered.
    """
    owner, friend, witness = block.pick(3)
    stalled, source, target = phone(owner, "phone"), phone(friend), phone(witness)
    short = web(owner, "browser")
    large = [b"%02d" % number + b"x" * 60_000 for number in range(25)]
    for _ in range(4):
        source.say_all(owner.user, large)
    # More than the kernel keeps for a connection that nobody reads.
    stalled.wire.send(*[Pull(0, 1000)] * 12)
    slowest = 0.0
    for turn in range(20):
        if turn % 5 == 0:
            source.say_all(owner.user, large[:5])
        began = time.monotonic()
        short.say(witness.user, f"sent while stalled {turn}".encode())
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 2.0, f"expected every send to be acknowledged within 2 s, one took {slowest:.2f} s"
    for turn in range(20):
        target.await_push(f"sent while stalled {turn}".encode())


@pytest.mark.clause("CHN.8")
def test_a_saturated_down_link_does_not_hold_up_sends(
    block: Block, device: MakeDevice, web: MakeWeb, phone: MakePhone
) -> None:
    """Up and down are isolated: while a client's down-link is saturated ... its sends over the short
    connection are acknowledged within 2 s.

    Three friends send to a user without a pause, and his client reads all of it; he sends twenty messages
    by short requests meanwhile. Expected: each is acknowledged within 2 s; his client shows everything in
    the end.
    """
    owner, witness, *friends = block.pick(5)
    reader, short = device(owner), web(owner, "browser")
    reader.log_in()
    sources = [phone(user) for user in friends]

    def flood(number: int) -> None:
        for _ in range(8):
            sources[number].say_all(owner.user, [b"x" * 8_000] * 25)

    flooding = [gevent.spawn(flood, number) for number in range(3)]
    slowest = 0.0
    for turn in range(20):
        began = time.monotonic()
        short.say(witness.user, f"{turn}".encode())
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 2.0, f"expected every send to be acknowledged within 2 s, one took {slowest:.2f} s"
    gevent.joinall(flooding, raise_error=True)
    reader.await_version(620, timeout_s=20)
