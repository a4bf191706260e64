"""DLV.3: a push is repeated whatever it is, on whichever device, and whatever comes after it."""

import time

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import MakePhone, MakeWeb
from conformance.packages import say_package
from conformance.phone import Phone
from conformance.target import Target

pytestmark = [
    pytest.mark.clause("DLV.3"),
    on_a_connection("over polls nothing is pushed, so nothing is pushed again"),
]

_REPEAT_BY_S = 12.0
"""By when a first repeat must have come; two seconds after the push, says the protocol."""
_BETWEEN_S = 0.5


def test_a_push_comes_again_on_every_device_among_others(block: Block, phone: MakePhone) -> None:
    """A push that is not acknowledged is retransmitted: in a group, large, on each device, among new ones.

    Two devices of a member acknowledge nothing of a large message and of one in a group, while small messages
    go on to come every half second. Expected: both devices get both again meanwhile.
    """
    owner, friend = block.members()[:2]
    devices = [phone(owner, "phone"), phone(owner, "tablet")]
    source = phone(friend)
    large = b"large" * 12_000
    source.say(owner.user, large)
    source.say(block.group, b"in the group")
    limit_s = _REPEAT_BY_S * devices[0].wire.patience
    until = time.monotonic() + limit_s

    def missing() -> list[str]:
        return [
            f"{body[:12]!r} on {each.name}"
            for each in devices
            for body in (large, b"in the group")
            if len(each.times_of(body)) < 2
        ]

    listening = [gevent.spawn(Phone.listen, each, limit_s) for each in devices]
    while missing() and time.monotonic() < until:
        source.say(owner.user, b"small")
        gevent.sleep(_BETWEEN_S)
    gevent.killall(listening)
    gevent.joinall(listening, raise_error=True)
    assert not missing(), f"expected every push again within {limit_s:.0f} s, not {missing()}"


@pytest.mark.waits
@pytest.mark.needs("packages")
def test_a_push_comes_again_however_it_was_sent(
    block: Block, phone: MakePhone, web: MakeWeb, target: Target
) -> None:
    """A push that is not acknowledged is retransmitted: whoever sent it, how, and whatever waits before it.

    A device acknowledges nothing of twenty messages, of a package, of an empty message, of what the user sent
    from another device, and of what was posted by a short request. Expected: it gets each of them again.
    """
    owner, friend = block.pick(2)
    watched, own, source = phone(owner, "watched"), phone(owner, "other"), phone(friend)
    bodies = [b"%d before" % number for number in range(20)]
    source.say_all(owner.user, bodies)
    say_package(source, owner.user, [b"first of a package", b"second of a package"])
    source.say(owner.user, b"")
    own.say(friend.user, b"own")
    bodies += [b"first of a package", b"second of a package", b"", b"own"]
    if target.http_url or target.https_url:
        web(friend).say(owner.user, b"posted")
        bodies.append(b"posted")
    limit_s = _REPEAT_BY_S * watched.wire.patience
    until = time.monotonic() + limit_s
    while (missing := [body for body in bodies if len(watched.times_of(body)) < 2]) and (
        time.monotonic() < until
    ):
        watched.listen(0.2)
    assert not missing, f"expected every push again within {limit_s:.0f} s, not {missing}"
