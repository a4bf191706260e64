"""WAY.1 and WAY.2: polls answer at once or are held, and no message waits or falls between them."""

import random
import time
from collections.abc import Callable

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone, MakeWeb
from conformance.web import Poll, Web
from drivers.pumps.wire import Expected

pytestmark = pytest.mark.once("polls are looked at by bare requests, whatever carries what is sent")

_SOON_S = 2.0
"""What has to come at once may take this long on a busy machine; every timeout here is far beyond it."""


@pytest.mark.clause("WAY.1")
def test_a_short_poll_answers_at_once_with_what_is_new(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """Short polling: repeated requests return what is new since the given version, at once, also when that
    is nothing.

    An empty inbox is polled, then after each of five messages, after the newest, and far beyond it.
    Expected: at once and precisely what is beyond the version, also when that is nothing; asking again
    brings the same.
    """
    owner, friend = block.pick(2)
    short, source = web(owner), phone(friend)

    def assert_poll(after: int, wanted: list[bytes], newest: int) -> None:
        for _ in range(2):
            poll = short.poll(after)
            assert poll.bodies == wanted, f"after {after}: expected {wanted}, got {poll.bodies}"
            versions = list(range(after + 1, after + 1 + len(wanted)))
            assert poll.versions == versions, f"after {after}: expected {versions}, got {poll.versions}"
            assert (poll.newest, poll.more) == (newest, False), f"expected newest {newest}, got {poll}"
            assert poll.took_s < _SOON_S, f"expected an answer at once, it took {poll.took_s:.2f} s"

    assert_poll(0, [], 0)
    bodies: list[bytes] = []
    for number in range(5):
        bodies.append(f"{number}".encode())
        source.say(owner.user, bodies[-1])
        assert_poll(number, bodies[-1:], number + 1)
        assert_poll(0, bodies, number + 1)
    assert_poll(2, bodies[2:], 5)
    assert_poll(5, [], 5)
    assert_poll(1000, [], 5)


@pytest.mark.clause("WAY.1")
def test_short_polls_in_pages_leave_no_seam(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... what is new since the given version: in pages as large as was asked, without a seam.

    A hundred and fifty messages are polled in pages of 1, 7, 50 and 1,000, while thirty more are sent.
    Expected: each page begins just behind the version and is not larger than asked; `more` says whether
    another follows; together they are all messages once.
    """
    owner, friend = block.pick(2)
    source, short = phone(friend), web(owner)
    bodies = [f"{number}".encode() for number in range(180)]
    source.say_all(owner.user, bodies[:150])

    def send_more() -> None:
        for body in bodies[150:]:
            source.say(owner.user, body)

    sending = gevent.spawn(send_more)
    for limit in (1, 7, 50, 1000):
        polled: list[bytes] = []
        while True:
            page = short.poll(len(polled), limit=limit)
            versions = list(range(len(polled) + 1, len(polled) + 1 + len(page.versions)))
            assert page.versions == versions, f"after {len(polled)}: expected {versions}, got {page.versions}"
            assert len(page.versions) <= limit, f"expected at most {limit} entries, got {len(page.versions)}"
            polled += page.bodies
            assert page.more == (len(polled) < page.newest), f"expected `more` to be right, got {page.more}"
            if not page.more:
                break
        assert polled == bodies[: len(polled)], f"pages of {limit}: expected the messages in order"
        assert len(polled) >= 150, f"pages of {limit}: expected all 150, got {len(polled)}"
    sending.get()
    rest = short.poll(150).bodies
    assert rest == bodies[150:], f"expected what was sent meanwhile, got {rest}"


@pytest.mark.clause("WAY.2")
@pytest.mark.waits
def test_a_long_poll_is_held_while_there_is_nothing(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """Long polling: a request with nothing to deliver is held until ... its timeout passes.

    Polls of 1 and 1.5 s wait where nothing new comes: on an empty inbox, at the newest version, and beyond
    it. Expected: an empty answer, not before the timeout and soon after; what there is already is not
    waited for.
    """
    owner, friend, empty = block.pick(3)
    phone(friend).say_all(owner.user, [b"old"] * 3)

    def assert_held(poller: Web, after: int, wait_s: float) -> None:
        poll = poller.poll(after, wait_s=wait_s)
        assert poll.bodies == [], f"after {after}: expected nothing, got {poll.bodies}"
        assert wait_s - 0.15 <= poll.took_s < wait_s + _SOON_S, (
            f"after {after}, wait_s {wait_s}: expected an answer then, it came after {poll.took_s:.2f} s"
        )

    jobs = [
        gevent.spawn(assert_held, web(empty), 0, 1.0),
        gevent.spawn(assert_held, web(owner), 3, 1.0),
        gevent.spawn(assert_held, web(owner), 3, 1.5),
        gevent.spawn(assert_held, web(owner), 50, 1.0),
    ]
    gevent.joinall(jobs, raise_error=True)
    at_once = web(owner).poll(1, wait_s=10)
    assert (at_once.versions, at_once.took_s < _SOON_S) == ([2, 3], True), (
        f"expected what there is at once, got {at_once.versions} after {at_once.took_s:.2f} s"
    )


@pytest.mark.clause("WAY.2")
@pytest.mark.needs("packages")
def test_a_message_never_waits_for_the_timeout(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... a message never waits for the timeout.

    Polls of 12 s are held by three users and by two devices of one, when a message comes: from a friend, to
    the group, by a short request, as a package, from the user's own phone. Expected: each is answered at
    once, with the message.
    """
    owner, second, third, friend = block.pick(4)
    source, own, short = phone(friend), phone(owner, "phone"), web(friend)
    pollers = [web(owner, "one"), web(owner, "two"), web(second), web(third)]
    versions = [0, 0, 0, 0]

    def wait(number: int) -> Poll:
        return pollers[number].poll(versions[number], wait_s=12)

    to_all: list[Callable[[], object]] = [
        lambda: source.say(block.group, b"to the group"),
        lambda: short.say(block.group, b"posted to the group"),
        lambda: short.say_package(block.group, [b"a", b"package"]),
        lambda: own.say(block.group, b"own"),
    ]
    for say in to_all:
        polls = [gevent.spawn(wait, number) for number in range(4)]
        gevent.sleep(0.15)
        early = [poll.get() for poll in polls if poll.ready()]
        assert not early, f"expected polls to be held while there is nothing, got {early}"
        said_at = time.monotonic()
        say()
        gevent.joinall(polls, raise_error=True, timeout=15)
        took_s = time.monotonic() - said_at
        assert took_s < _SOON_S, f"expected the message at once, the last poll took {took_s:.2f} s"
        for number, poll in enumerate(polls):
            assert poll.get().versions, f"poller {number}: expected the message, got an empty answer"
            versions[number] = poll.get().versions[-1]


@pytest.mark.clause("WAY.2")
def test_no_message_falls_between_two_polls(
    block: Block, phone: MakePhone, web: MakeWeb, dice: random.Random
) -> None:
    """... no message falls between two polls.

    Three pollers, one of them with pages of one, follow an inbox while two friends send two hundred
    messages at random moments: before a poll, during, between two. Expected: each gets every version once
    and in order, and no poll is held while there is something for it.
    """
    owner, *friends = block.pick(3)
    sources = [phone(user) for user in friends]
    pollers = [web(owner, f"poller-{number}") for number in range(3)]

    def send(source_number: int) -> None:
        for turn in range(100):
            sources[source_number].say(owner.user, f"{source_number} {turn}".encode())
            gevent.sleep(dice.choice([0.0, 0.0, 0.002, 0.01]))

    def follow(number: int) -> list[int]:
        versions: list[int] = []
        while len(versions) < 200:
            poll = pollers[number].poll(
                versions[-1] if versions else 0, wait_s=8, limit=1 if number == 0 else 1000
            )
            if not poll.versions:
                raise Expected(f"poller {number}: expected more after {len(versions)} of 200, got a timeout")
            assert poll.took_s < 8, f"poller {number}: expected no poll to wait for its timeout"
            versions += poll.versions
        return versions

    following = [gevent.spawn(follow, number) for number in range(3)]
    sending = [gevent.spawn(send, number) for number in range(2)]
    gevent.joinall(sending, raise_error=True)
    gevent.joinall(following, raise_error=True)
    for number, each in enumerate(following):
        versions = each.get()
        assert versions == list(range(1, 201)), (
            f"poller {number}: expected versions 1 to 200, each once and in order, got {versions}"
        )


@pytest.mark.clause("WAY.2")
@pytest.mark.waits
def test_a_message_at_the_moment_of_the_timeout_is_not_lost(
    block: Block, phone: MakePhone, web: MakeWeb, dice: random.Random
) -> None:
    """... no message falls between two polls: least of all when it comes as one ends.

    Six users hold polls of 0.3 s, again and again; to each, messages come about when a poll ends. Expected:
    by what their polls bring, each gets every version once and in order.
    """
    source, *owners = block.pick(7)
    sender = phone(source)
    count = 7

    def follow(number: int) -> None:
        poller, versions = web(owners[number], "poller"), [0]
        until = time.monotonic() + 15
        while versions[-1] < count:
            poll = poller.poll(versions[-1], wait_s=0.3)
            wanted = list(range(versions[-1] + 1, versions[-1] + 1 + len(poll.versions)))
            assert poll.versions == wanted, f"expected versions {wanted}, got {poll.versions}"
            versions += poll.versions
            assert time.monotonic() < until, f"expected {count} messages, got {versions[-1]}"

    following = [gevent.spawn(follow, number) for number in range(6)]
    for _ in range(count):
        gevent.sleep(0.3 + dice.uniform(-0.05, 0.05))
        for owner in owners:
            sender.say(owner.user, b"about now")
    gevent.joinall(following, raise_error=True)


@pytest.mark.clause("WAY.2")
def test_a_poll_that_was_given_up_takes_nothing_with_it(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """... no message falls between two polls: also where the answer to the first one was never read.

    A held poll's connection is closed, a message comes, and the user polls again from the same version;
    then a poll is answered, and asked again as if the answer got lost. Expected: the message each time.
    """
    owner, friend = block.pick(2)
    source = phone(friend)
    for turn in range(5):
        given_up = gevent.spawn(web(owner, "poller").poll, turn, wait_s=10)
        gevent.sleep(0.05)
        given_up.kill()
        body = f"turn {turn}".encode()
        source.say(owner.user, body)
        for _ in range(2):
            poll = web(owner, "poller").poll(turn, wait_s=10)
            assert poll.bodies == [body], f"turn {turn}: expected {body!r}, got {poll.bodies}"
            assert poll.took_s < _SOON_S, f"expected it at once, it took {poll.took_s:.2f} s"


@pytest.mark.clause("WAY.2")
def test_a_single_message_as_a_poll_begins_is_not_waited_for(
    block: Block, phone: MakePhone, web: MakeWeb, dice: random.Random
) -> None:
    """... no message falls between two polls: no later one is there to bring up one that did.

    Eighty times, three polls of 8 s begin, and one message comes within the next two milliseconds. Expected:
    each poll brings that message, and none waits for its timeout.
    """
    owner, friend = block.pick(2)
    source, pollers = phone(friend), [web(owner, f"poller-{number}") for number in range(3)]
    for turn in range(80):
        polls = [gevent.spawn(poller.poll, turn, wait_s=8) for poller in pollers]
        gevent.sleep(dice.uniform(0.0, 0.002))
        source.say(owner.user, b"just now")
        for poll in polls:
            got: Poll = poll.get()
            assert got.versions == [turn + 1], f"expected version {turn + 1}, got {got.versions}"
            assert got.took_s < 4, f"turn {turn}: expected the message at once, not after {got.took_s:.1f} s"
