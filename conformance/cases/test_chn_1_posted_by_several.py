"""CHN.1, DLV.6, SEC.5: short requests of several devices, in groups, as packages, and with another token."""

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
            assert status == 403, f"expected 403 for a READ of another's conversation, got {status}"
    status = shared.call("GET", "/v1/inbox?after=0").status
    assert status == 401, f"expected 401 without a token, got {status}"
