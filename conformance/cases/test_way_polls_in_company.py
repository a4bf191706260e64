"""WAY.1 and WAY.2: polls bring what a connection would have got, whoever sent it and whatever it holds."""

import gevent
import pytest

from conformance.accounts import Block
from conformance.bare_http import BareHttp
from conformance.clients import MakePhone, MakeWeb
from conformance.target import Target
from conformance.verdicts import not_offered
from conformance.web import Poll

pytestmark = pytest.mark.once("polls are looked at by bare requests, whatever carries what is sent")

_HELD_S = 6.0
_SOON_S = 3.0
_BEGUN_S = 0.3
"""By then a poll that was sent is held."""


@pytest.mark.clause("WAY.1")
def test_a_poll_brings_bodies_as_they_were_sent(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... requests return what is new: as it is, byte for byte.

    Bodies that are empty, no UTF-8, every byte there is, and of the largest size are sent, and polled.
    Expected: the same bytes, kinds, ids, sequences and times as a connection pulls.
    """
    owner, friend = block.pick(2)
    source = phone(friend)
    for body, kind in ((b"", "text"), (bytes(range(256)), "image"), (b"\xff\xfe\xc7", "audio")):
        source.say(owner.user, body, kind=kind)
    source.say(owner.user, bytes(65_536), kind="file")
    poll = web(owner).poll(0)
    for entry, body, wanted in zip(poll.entries, poll.bodies, phone(owner, "reader").inbox(), strict=True):
        assert body == wanted.body, f"expected {wanted.body[:20]!r}, got {body[:20]!r}"
        for name in ("version", "mid", "conversation", "sequence", "sender", "kind", "at_ms"):
            assert entry[name] == getattr(wanted, name), f"{name}: expected {wanted}, got {entry[name]}"


@pytest.mark.clause("WAY.1")
def test_pages_that_are_full_in_bytes_say_so(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... requests return what is new since the given version: all of it, in as many pages as it takes.

    Thirty messages of 64,000 bytes are polled with a limit of a thousand. Expected: pages that say `more`
    until all thirty have come, and the newest version on each.
    """
    owner, friend = block.pick(2)
    phone(friend).say_all(owner.user, [b"%02d" % number * 32_000 for number in range(30)])
    short, after, bodies = web(owner), 0, []
    while True:
        poll = short.poll(after)
        assert poll.newest == 30, f"after {after}: expected newest 30, got {poll.newest}"
        assert poll.versions, f"after {after}: expected entries"
        bodies += poll.bodies
        after = poll.versions[-1]
        if not poll.more:
            break
    assert [body[:2] for body in bodies] == [b"%02d" % number for number in range(30)], (
        f"expected thirty messages in order, got {len(bodies)}"
    )


@pytest.mark.clause("WAY.1")
def test_requests_in_one_piece_are_answered_in_order(block: Block, target: Target, phone: MakePhone) -> None:
    """... repeated requests return what is new since the given version: each its own.

    Five polls with different versions are written at once, over one kept-alive connection. Expected: five
    answers in the order of the requests.
    """
    if target.http_url is None:
        not_offered("the target takes no short requests in the clear")
    owner, friend = block.pick(2)
    phone(friend).say_all(owner.user, [b"%d" % number for number in range(5)])
    found = []
    with BareHttp(target.http_url) as bare:
        head = f"HTTP/1.1\r\nHost: {bare.host}\r\nAuthorization: Bearer {owner.token}\r\n\r\n"
        requests = "".join(f"GET /v1/inbox?after={after}&limit=1 {head}" for after in (3, 0, 4, 1, 2))
        bare.throw(requests.encode())
        for _ in range(5):
            found += [entry["version"] for entry in bare.answer().content["entries"]]
    assert found == [4, 1, 5, 2, 3], f"expected versions [4, 1, 5, 2, 3], got {found}"


@pytest.mark.clause("WAY.2")
def test_a_held_poll_is_woken_whoever_writes(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... held until a message arrives: from a friend, in a group, or from another device of the user.

    Two devices of a member hold a poll each while somebody sends four messages, one after the other.
    Expected: both polls bring what was sent, at once.
    """
    owner, friend = block.members()[:2]
    webs = [web(owner, "one"), web(owner, "two")]
    own, other = phone(owner, "own"), phone(friend)
    sends = ((other, owner.user), (other, block.group), (own, friend.user), (own, block.group))
    for after, (source, to) in enumerate(sends):
        polls = [gevent.spawn(each.poll, after, wait_s=_HELD_S) for each in webs]
        gevent.sleep(_BEGUN_S)
        body = f"{source.name} to {to}".encode()
        source.say(to, body)
        for poll in polls:
            got: Poll = poll.get()
            assert got.bodies == [body], f"expected {body!r}, got {got.bodies}"
            assert got.took_s < _SOON_S, f"{body!r}: expected it at once, not after {got.took_s:.1f} s"


@pytest.mark.clause("WAY.2")
@pytest.mark.needs("packages")
def test_a_held_poll_brings_all_of_a_package(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... held until a message arrives; no message falls between two polls: also of several that come as one.

    A poll is held, and a package of five is sent; then the next poll is held, and a message is sent.
    Expected: the package, whole and in order, then the message and nothing that was there before.
    """
    owner, friend = block.pick(2)
    held, source = web(owner), web(friend)
    bodies = [b"item %d" % number for number in range(5)]
    seen: list[bytes] = []
    after = 0
    for is_package in (True, False):
        poll = gevent.spawn(held.poll, after, wait_s=_HELD_S)
        gevent.sleep(_BEGUN_S)
        if is_package:
            source.say_package(owner.user, bodies)
        else:
            source.say(owner.user, b"next")
        got: Poll = poll.get()
        assert got.versions, "expected what was sent to wake the poll"
        seen += got.bodies
        after = got.versions[-1]
    assert seen == [*bodies, b"next"], f"expected the package and the message once each, got {seen}"


@pytest.mark.clause("WAY.2")
@pytest.mark.waits
def test_a_long_poll_is_held_for_as_long_as_it_asks(block: Block, web: MakeWeb) -> None:
    """... is held until a message arrives or its timeout passes: its own, not that of somebody between.

    A poll of six seconds waits on an empty inbox. Expected: an empty answer, not before six seconds.
    """
    poll = web(block.users[0]).poll(0, wait_s=6.0)
    assert poll.bodies == [], f"expected nothing, got {poll.bodies}"
    assert poll.took_s >= 6.0 - 0.15, (
        f"expected to be held for 6 s, the answer came after {poll.took_s:.1f} s"
    )
