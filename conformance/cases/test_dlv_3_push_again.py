"""DLV.3: a push without PUSHED comes again, at growing intervals; after that there is the pull.

What a server does about pushes takes seconds to see, so one group of phones is watched for all cases
together. The last of the five attempts comes about a minute after the first and is not waited for: the
cases look at the first two repeats.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import Clients
from conformance.phone import Phone
from protocol.messages import Ping, Pull, Push, Pushed

pytestmark = [
    pytest.mark.clause("DLV.3"),
    on_a_connection("over polls nothing is pushed, so nothing is pushed again"),
]

_REPEATS_BY_S = 14.0
"""By when two repeats must have come; 2 s and 4 s later each, says the protocol."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Phones after the time of two repeats. `silent` never acknowledged, `prompt` did at once, `halfway` the
    second of three and then the first, `late` after the first repeat, `busy` asked, pinged and said that it
    had nothing."""

    silent: Phone
    prompt: Phone
    halfway: Phone
    late: Phone
    busy: Phone


@pytest.fixture(scope="module")
def watched(take_block: Callable[[], Block], lasting_clients: Clients) -> Watched:
    sender, *recipients = take_block().pick(6)
    seen = Watched(*[lasting_clients.phone(user) for user in recipients])
    source = lasting_clients.phone(sender)
    for body in (b"one", b"two", b"three"):
        source.say(seen.halfway.user, body)
    for target in (seen.silent, seen.prompt, seen.late, seen.busy):
        source.say(target.user, b"one")
    for target in (seen.silent, seen.prompt, seen.late, seen.busy):
        target.await_push(b"one")
    seen.prompt.acknowledge(seen.prompt.pushes[-1].version)
    seen.halfway.await_push(b"three")
    for body in (b"two", b"one"):
        seen.halfway.acknowledge(seen.halfway.await_push(body).version)
    quiet = (seen.silent, seen.prompt, seen.halfway)
    listening: list[Any] = [gevent.spawn(each.listen, _REPEATS_BY_S) for each in quiet]
    listening.append(gevent.spawn(_acknowledge_late, seen.late))
    listening.append(gevent.spawn(_keep_busy, seen.busy))
    until = time.monotonic() + _REPEATS_BY_S
    awaited = ((seen.silent, b"one"), (seen.busy, b"one"), (seen.halfway, b"three"))
    while time.monotonic() < until and any(len(each.times_of(body)) < 3 for each, body in awaited):
        gevent.sleep(0.05)
    gevent.killall(listening)
    return seen


def _acknowledge_late(phone: Phone) -> None:
    phone.expect(Push, timeout_s=_REPEATS_BY_S)
    phone.acknowledge(phone.pushes[-1].version)
    phone.listen(_REPEATS_BY_S)


def _keep_busy(phone: Phone) -> None:
    while not phone.wire.is_closed:
        phone.wire.send(Ping(), Pull(0, 10), Pushed(0))
        phone.listen(0.5)


def assert_repeated(phone: Phone, body: bytes) -> None:
    """At least two repeats, the second after a longer wait than the first, all the same message."""
    times = phone.times_of(body)
    assert len(times) >= 3, (
        f"expected the push {body!r} and two repeats within {_REPEATS_BY_S} s, got {len(times)} in all"
    )
    first_wait, second_wait = times[1] - times[0], times[2] - times[1]
    # Equal intervals differ by chance; whoever lets them grow lets them grow by more than a tenth.
    assert second_wait > 1.1 * first_wait, (
        f"expected growing intervals, got {first_wait:.2f} s and then {second_wait:.2f} s"
    )
    contents = {
        (push.version, push.mid, push.conversation, push.sequence, push.sender, push.kind, push.at_ms)
        for push in phone.pushes
        if push.body == body
    }
    assert len(contents) == 1, f"expected repeats to equal the first push, got {contents}"


def test_an_unacknowledged_push_comes_again_at_growing_intervals(watched: Watched) -> None:
    """A push that is not acknowledged is retransmitted with growing intervals.

    A phone never sends PUSHED. Expected: two repeats, the second after a longer wait, each with the version,
    id, sequence, sender, kind, body and time of the first.
    """
    assert_repeated(watched.silent, b"one")


def test_an_acknowledged_push_does_not_come_again(watched: Watched) -> None:
    """A push that is *not* acknowledged is retransmitted: one that is, is not.

    A phone sends PUSHED at once. Expected: no repeat while others got two.
    """
    count = len(watched.prompt.times_of(b"one"))
    assert count == 1, f"expected no repeat after PUSHED, got {count - 1}"


def test_an_acknowledgement_covers_all_before_it(watched: Watched) -> None:
    """... not acknowledged: PUSHED is cumulative.

    A phone gets three messages and acknowledges the second, and after it the first. Expected: no repeat of
    the first and the second.
    """
    for body in (b"one", b"two"):
        count = len(watched.halfway.times_of(body))
        assert count == 1, f"expected no repeat of {body!r}, which PUSHED covered, got {count - 1}"


def test_an_acknowledgement_covers_nothing_after_it(watched: Watched) -> None:
    """A push that is not acknowledged is retransmitted, also when an older one was acknowledged.

    A phone gets three messages and acknowledges the second. Expected: two repeats of the third.
    """
    assert_repeated(watched.halfway, b"three")


def test_a_late_acknowledgement_ends_the_repeats(watched: Watched) -> None:
    """... retransmitted until it is acknowledged.

    A phone sends PUSHED after the first repeat. Expected: no second repeat while others got it.
    """
    count = len(watched.late.times_of(b"one"))
    assert count == 2, f"expected one repeat and none after PUSHED, got {count - 1} repeats"


def test_nothing_but_an_acknowledgement_counts_as_one(watched: Watched) -> None:
    """A push that is not acknowledged is retransmitted: traffic is no acknowledgement.

    A phone pings twice a second, pulls its inbox, and acknowledges version 0, which is nothing. Expected: two
    repeats.
    """
    assert_repeated(watched.busy, b"one")


def test_the_message_stays_available_to_a_pull(watched: Watched) -> None:
    """... the message stays available to a pull.

    After the repeats the phone that never acknowledged pulls, and then a phone that did. Expected: both find
    the message, as it was pushed.
    """
    for target in (watched.silent, watched.prompt):
        push = target.pushes[0]
        found = [(entry.version, entry.mid, entry.body) for entry in target.inbox(push.version - 1)]
        expected = (push.version, push.mid, push.body)
        assert expected in found, f"{target.name}: expected the pull to bring {expected}, got {found}"
