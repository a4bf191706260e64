"""CHN.1, DLV.6, SEC.5: short requests of several devices, in groups, as packages, and with another token."""

import time

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone, MakeWeb
from conformance.phone import fresh_cid
from protocol.names import conversation_between

pytestmark = pytest.mark.once("the case sends short requests of its own, whatever the carrier")

_ON_A_CONNECTION = pytest.mark.only_over("tcp", "tls", "ws", "wss", why="over polls nothing is pushed")


@pytest.mark.clause("CHN.1")
@pytest.mark.needs("packages")
def test_client_ids_belong_to_a_device_also_over_http(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... over a short HTTP request and over the long connection: with the same guarantees.

    Two devices post a message and a package with the same client ids, each twice. Expected: the devices'
    are different messages, and each repeat gets its device's first answer.
    """
    sender, friend = block.pick(2)
    cid, package = fresh_cid(), fresh_cid()
    single: list[int] = []
    placed: list[tuple[int, ...]] = []
    for name in ("one", "two"):
        source = web(sender, name)
        for _ in range(2):
            single.append(source.say(friend.user, name.encode(), cid=cid)["mid"])
            found = source.say_package(friend.user, [b"a", b"b"], cid=package)["placed"]
            placed.append(tuple(each["mid"] for each in found))
    for what, answers in (("message", single), ("package", placed)):
        same = answers[0] == answers[1] and answers[2] == answers[3]
        assert same, f"{what}: expected a repeat to get the first answer, got {answers}"
        assert answers[0] != answers[2], f"{what}: expected two devices to be told apart, got {answers}"
    inbox = phone(friend).inbox()
    assert len(inbox) == 6, f"expected six messages, got {len(inbox)}"


@pytest.mark.clause("CHN.1")
def test_each_request_is_its_own_devices(block: Block, web: MakeWeb) -> None:
    """... with the same guarantees: a client message id counts for the device that the request names, whoever
    used the connection before.

    Over one kept-alive connection two devices post in turn, with one client message id. Expected: two
    messages, and each repeat gets its device's first answer.
    """
    sender, friend = block.pick(2)
    shared = web(sender)
    content = {"cid": fresh_cid(), "to": friend.user, "kind": "text", "body": "eA=="}
    found = []
    for name in ("one", "two", "one", "two"):
        reply = shared.call("POST", "/v1/messages", content, headers={"X-Device": name})
        assert reply.status == 200, f"device {name}: expected 200, got {reply.status} {reply.body!r}"
        found.append(reply.content["mid"])
    assert found[:2] == found[2:], f"expected a repeat to get its device's first answer, got {found}"
    assert found[0] != found[1], f"expected two devices to be told apart, got {found}"


@pytest.mark.clause("CHN.1")
@pytest.mark.needs("packages", "history", "contacts")
def test_what_is_posted_is_in_history_and_contacts(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... both reach the same inbox with the same guarantees: with all that follows from a message.

    A member sends to a friend and to the group, posts a message to each, and posts a package to each.
    Expected: the history of both shows everything, newest first, to both sides; the contacts of both show the
    last of it.
    """
    sender, friend = block.members()[:2]
    source, short = phone(sender), web(sender)
    for to, peer in ((friend.user, sender.user), (block.group, block.group)):
        sent = source.say(to, b"sent")
        posted = short.say(to, b"posted")
        package = short.say_package(to, [b"first", b"second"])
        mids = [sent.mid, posted["mid"], *(each["mid"] for each in package["placed"])]
        for each, other in ((source, to), (phone(friend), peer)):
            listed = [entry.mid for entry in each.history(sent.conversation).entries]
            assert listed == mids[::-1], f"{each.name}: expected the history {mids[::-1]}, got {listed}"
            top = [(contact.peer, contact.mid) for contact in each.contacts()[:1]]
            assert top == [(other, mids[-1])], (
                f"{each.name}: expected {other} with {mids[-1]} at the top of the contacts, got {top}"
            )


@_ON_A_CONNECTION
@pytest.mark.clause("CHN.1")
@pytest.mark.needs("packages")
def test_what_is_posted_to_a_group_is_pushed_to_all(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... both reach the same inbox with the same guarantees: in groups, and as packages.

    A member posts a message and a package to the group. Expected: every other member is pushed them.
    """
    members = block.members()
    phones = [phone(user) for user in members[1:]]
    source = web(members[0])
    source.say(block.group, b"posted")
    source.say_package(block.group, [b"first", b"second"])
    for each in phones:
        for body in (b"posted", b"first", b"second"):
            each.await_push(body)


@_ON_A_CONNECTION
@pytest.mark.clause("DLV.6")
@pytest.mark.needs("packages")
def test_what_is_posted_reaches_own_connected_devices(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """The sender's own other devices get the message too: however it was sent, and to whom.

    A member posts a message and a package to a friend and to the group, and sends the same from a phone.
    Expected: his tablet is pushed each of them, as sent by him.
    """
    sender, friend = block.members()[:2]
    tablet, source, posting = phone(sender, "tablet"), phone(sender), web(sender)
    for to in (friend.user, block.group):
        source.say(to, f"said to {to}".encode())
        posting.say(to, f"posted to {to}".encode())
        posting.say_package(to, [f"{number} posted to {to}".encode() for number in range(2)])
        for what in ("said", "posted", "0 posted", "1 posted"):
            push = tablet.await_push(f"{what} to {to}".encode())
            assert push.sender == sender.user, f"expected a message of {sender.user}, got {push}"


@pytest.mark.clause("SEC.5")
def test_each_request_is_its_own_tokens(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... no user can read ... what belongs to another: also over a connection that was another's before.

    Over one kept-alive connection requests come with the tokens of two users in turn, then without one.
    Expected: each is answered with what belongs to its own token, and the last with 401.
    """
    one, other = block.pick(2)
    third = phone(block.users[2])
    third.say(one.user, b"for one")
    third.say(other.user, b"for the other")
    third.say(other.user, b"and another")
    shared = web(None)
    name = conversation_between(one.user, third.user)
    for user, wanted in ((one, 1), (other, 2), (one, 1), (other, 2)):
        bearer = {"Authorization": f"Bearer {user.token}"}
        for _ in range(2):
            inbox = shared.call("GET", "/v1/inbox?after=0", headers=bearer).content["entries"]
            assert len(inbox) == wanted, f"{user.user}: expected {wanted} messages, got {len(inbox)}"
        counts = shared.call("GET", "/v1/unread", headers=bearer).content
        assert counts["total"] == wanted, f"{user.user}: expected {wanted} unread, got {counts}"
        read = {"conversation": name, "sequence": 1}
        if user is other:
            status = shared.call("POST", "/v1/read", read, headers=bearer).status
            assert status in (403, 404), (
                f"a READ of another's conversation: expected 403 or 404, got {status}"
            )
    status = shared.call("GET", "/v1/inbox?after=0").status
    assert status == 401, f"expected 401 without a token, got {status}"


@pytest.mark.clause("CHN.8")
@pytest.mark.needs("long_poll")
def test_a_held_poll_does_not_hold_up_sends(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """Up and down are isolated: ... its sends over the short connection are acknowledged within 2 s, also
    while the same device waits for what comes.

    A device holds a poll of eight seconds, and posts and asks by another connection. Expected: each is
    answered within 2 s, and the poll goes on until a friend writes.
    """
    owner, friend = block.pick(2)
    down, up, source = web(owner, "phone"), web(owner, "phone"), phone(friend)
    up.poll(0)
    held = gevent.spawn(down.poll, 2, wait_s=8.0)
    gevent.sleep(0.3)
    for number in range(2):
        began = time.monotonic()
        up.say(friend.user, b"%d" % number)
        up.ask("GET", "/v1/unread")
        took_s = time.monotonic() - began
        assert took_s < 2.0, f"expected to be answered within 2 s beside a held poll, it took {took_s:.1f} s"
    source.say(owner.user, b"for the poll")
    got = held.get().bodies
    assert got == [b"for the poll"], f"expected the poll to bring what a friend wrote, got {got}"
