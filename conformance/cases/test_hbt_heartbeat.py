"""HBT.1 to HBT.3: the dead are cleared in time, the living never, and a client notices a dead path.

All with the shortest heartbeat that the protocol knows, one second.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import gevent
import psutil
import pytest

from conformance.accounts import Block, User
from conformance.carriers import on_a_connection
from conformance.clients import Clients, MakeDevice, MakePhone
from conformance.packages import say_package
from conformance.phone import Phone, fresh_cid
from conformance.verdicts import Undecided
from drivers.events import Closed, LoggedIn
from protocol import frames, messages
from protocol.messages import Message
from protocol.names import conversation_between

if TYPE_CHECKING:
    from refserver.process import ServerProcess

_HEARTBEAT_S = 1
_LARGE_PACKAGES, _PAGES = 2, 24
"""With 700 KB a page, more than the kernels of both ends keep for a connection that nobody reads."""
_LIVING_S = 4.5
"""How long the living are watched: longer than any connection may last on its login alone."""


def enter(phone: MakePhone, user: User, device: str = "phone") -> tuple[Phone, float]:
    """A phone with the shortest heartbeat, and by when after its last frame it has to be cleared."""
    one = phone(user, device, heartbeat_s=_HEARTBEAT_S)
    heartbeat_s = one.logged_in.heartbeat_s
    if heartbeat_s > 3 * _HEARTBEAT_S:
        raise Undecided(f"asked for a heartbeat of {_HEARTBEAT_S} s, the server insists on {heartbeat_s} s")
    return one, 1.5 * heartbeat_s + 2


def assert_cleared(phone: Phone, last_frame_at: float, limit_s: float, who: str) -> None:
    """The server ends the connection in time; what it says before does not matter."""
    limit_s += phone.late_s
    until = last_frame_at + limit_s
    while not phone.wire.is_closed:
        left = until - time.monotonic()
        assert left > 0, f"{who}: expected the connection to be cleared within {limit_s} s of its last frame"
        phone.listen(left)


@pytest.mark.clause("HBT.1")
@on_a_connection("over polls there is no connection that the server could clear")
@pytest.mark.waits
def test_who_falls_silent_is_cleared_in_time(block: Block, phone: MakePhone) -> None:
    """The server clears a connection whose peer vanished without FIN or RST within 1.5 heartbeat intervals
    plus 2 s of its last frame, and marks the device offline.

    Three phones fall silent but keep their connections open: one after its login, one after some heartbeats,
    one while messages for it keep coming. Expected: each connection is closed in time; each device can log in
    again and finds the message that came meanwhile.
    """
    sender, *users = block.pick(4)
    source = phone(sender)

    def after_login(user: User) -> None:
        one, limit_s = enter(phone, user)
        assert_cleared(one, time.monotonic(), limit_s, "silent after its login")

    def after_heartbeats(user: User) -> None:
        one, limit_s = enter(phone, user)
        for _ in range(3):
            one.listen(0.5)
            one.beat()
        assert_cleared(one, time.monotonic(), limit_s, "silent after heartbeats")

    def while_pushed_to(user: User) -> None:
        one, limit_s = enter(phone, user)
        last_frame_at = time.monotonic()
        pushing = gevent.spawn(push_again_and_again, user)
        try:
            assert_cleared(one, last_frame_at, limit_s, "silent while messages come for it")
        finally:
            pushing.kill()

    def push_again_and_again(user: User) -> None:
        for number in range(100):
            source.say(user.user, f"are you there {number}".encode())
            gevent.sleep(0.3)

    ways = (after_login, after_heartbeats, while_pushed_to)
    jobs = [gevent.spawn(way, user) for way, user in zip(ways, users, strict=True)]
    gevent.joinall(jobs, raise_error=True)
    for user in users:
        source.say(user.user, b"while you were away")
        back = phone(user)
        found = [entry.body for entry in back.inbox()]
        assert found[-1:] == [b"while you were away"], (
            f"{back.name}: expected the message sent after the connection was cleared, found {found[-1:]}"
        )


@pytest.mark.clause("HBT.1")
@on_a_connection("over polls there is no connection that the server could clear")
@pytest.mark.waits
def test_who_falls_silent_halfway_is_cleared_in_time(block: Block, phone: MakePhone) -> None:
    """... of its last *frame*: a part of one keeps nobody alive.

    A phone sends the first half of a message, and another one the header of a large one; then they fall
    silent. Expected: both connections are closed in time, and nothing was stored.
    """
    friend, *users = block.pick(3)
    whole = frames.encode(messages.Send(fresh_cid(), friend.user, "text", b"x" * 1000))

    def stop_halfway(user: User, size: int) -> None:
        one, limit_s = enter(phone, user)
        one.beat()
        one.wire.send_bytes(whole[:size])
        assert_cleared(one, time.monotonic(), limit_s, f"silent after {size} bytes of a frame")

    jobs = [gevent.spawn(stop_halfway, user, size) for user, size in zip(users, (500, 8), strict=True)]
    gevent.joinall(jobs, raise_error=True)
    found = phone(friend).inbox()
    assert found == [], f"expected nothing of half a message to be stored, found {found}"


@pytest.mark.clause("HBT.1")
@on_a_connection("over polls there is no connection that the server could clear")
@pytest.mark.waits
@pytest.mark.needs("packages")
@pytest.mark.calm("it fills the way to one client, and a plan makes that narrow for all")
def test_who_vanished_with_much_to_read_is_cleared_too(block: Block, phone: MakePhone) -> None:
    """The server clears a connection whose peer vanished: also one to which it cannot write any more.

    A phone asks for pages, more than the network takes without a reader, and neither reads nor says anything
    from then on. Expected: three seconds after the limit it has been cleared: a PING is answered by nobody,
    and what is left to read comes to an end.
    """
    owner, friend = block.pick(2)
    source = phone(friend)
    for _ in range(_LARGE_PACKAGES):
        say_package(source, owner.user, [b"x" * 60_000] * 12)
    one, limit_s = enter(phone, owner)
    one.wire.send(*[messages.Pull(0, 1000)] * _PAGES)
    gevent.sleep(limit_s + 3.0)
    with suppress(OSError):
        one.wire.send(messages.Ping())
    until = time.monotonic() + 20.0
    while (message := one.wire.next(max(0.001, until - time.monotonic()))) is not None:
        assert not isinstance(message, messages.Pong), (
            f"expected to be cleared {limit_s} s after the last frame, a PING was answered after three more"
        )


@pytest.mark.clause("HBT.1")
@on_a_connection("over polls there is no connection that the server could clear")
def test_what_the_cleared_held_is_freed(
    block: Block, phone: MakePhone, clients: Clients, server: "ServerProcess"
) -> None:
    """... and frees its resources.

    A hundred devices log in and fall silent. Expected: when the time is over, all connections are closed and
    the server's processes hold no more descriptors than before.
    """
    processes = [psutil.Process(pid) for pid in server.pids]

    def descriptors() -> int:
        return sum(process.num_fds() for process in processes)

    bystander = phone(block.users[0], "bystander")
    before = descriptors()
    silent = [enter(phone, user, f"device-{n}") for user in block.users for n in range(10)]
    last_frame_at = time.monotonic()
    for one, limit_s in silent:
        assert_cleared(one, last_frame_at, limit_s, f"{one.name}, one of a hundred")
    until = time.monotonic() + 1.0
    while (held := descriptors()) > before:
        assert time.monotonic() < until, (
            f"expected the server to hold {before} descriptors as before, it holds {held}"
        )
        gevent.sleep(0.05)
    bystander.beat()


@pytest.mark.clause("HBT.2")
@pytest.mark.waits
@pytest.mark.calm("how soon the client notices is what it looks at")
def test_a_client_notices_a_path_that_went_silent(block: Block, device: MakeDevice) -> None:
    """A client whose server or path vanished silently notices within 1.5 heartbeat intervals plus 2 s and
    reconnects.

    Three clients lose what they send, what they are sent, or both, with no sign from the network. Expected:
    each gives its connection up in time; once the path works again each is back, as the same device, and
    shows what came meanwhile.
    """
    sender, *users = block.pick(4)
    source = device(sender)
    source.log_in()
    ways: dict[str, Callable[[str], bool]] = {
        "up": lambda direction: direction == "up",
        "down": lambda direction: direction == "down",
        "both ways": lambda direction: True,
    }

    def vanish(way: str, user: User) -> None:
        one = device(user, heartbeat_s=_HEARTBEAT_S, login_timeout_s=1.0)
        limit_s = 1.5 * one.log_in().heartbeat_s + 2

        def lose(direction: str, message: Message) -> bool:
            return ways[way](direction)

        seen, lost_at = len(one.events), time.monotonic()
        one.lose = lose
        one.await_event(Closed, since=seen, timeout_s=limit_s + 1)
        times = zip(one.events[seen:], one.happened_at[seen:], strict=True)
        noticed_s = next(at for event, at in times if isinstance(event, Closed)) - lost_at
        assert noticed_s <= limit_s, (
            f"path lost {way}: expected the client to notice within {limit_s} s, it took {noticed_s:.2f} s"
        )
        source.send_and_await(user.user, b"meanwhile")
        one.lose = None
        one.await_event(LoggedIn, since=seen)
        one.await_delivered(b"meanwhile")

    jobs = [gevent.spawn(vanish, way, user) for way, user in zip(ways, users, strict=True)]
    gevent.joinall(jobs, raise_error=True)


@pytest.mark.clause("HBT.2")
@on_a_connection("over polls there is no connection that the server could clear")
def test_a_client_is_let_in_beside_its_own_dead_connection(block: Block, phone: MakePhone) -> None:
    """... notices ... and reconnects: sooner than the server clears the connection that went dead.

    A device logs in and its path vanishes; the same device logs in over another path while the server still
    holds the first connection. Expected: it is let in at once, sends, and gets what is sent to it.
    """
    user, friend = block.pick(2)
    source = phone(friend)
    phone(user)
    back = phone(user)
    source.say(user.user, b"on the new path")
    back.await_push(b"on the new path")
    back.say(friend.user, b"back again")
    source.await_push(b"back again")


Show = Callable[[Phone], object]


def assert_living(block: Block, phone: MakePhone, signs: dict[str, tuple[float, Show]]) -> None:
    """Of phones of one user, each shows its own sign once an interval of so many seconds, while a member
    floods the group that the user is in: none is cleared."""
    owner, _, flooding = block.pick(3)
    until = time.monotonic() + _LIVING_S

    def live(name: str, interval_s: float, show: Show) -> None:
        one, _ = enter(phone, owner, name)
        while time.monotonic() < until:
            one.listen(interval_s)
            assert not one.wire.is_closed, (
                f"{one.name}: expected the connection to stay open with a frame every {interval_s} s"
            )
            show(one)
        one.beat()

    def flood() -> None:
        source = phone(flooding, "flood")
        while time.monotonic() < until:
            source.say_all(block.group, [b"flood"] * 25)
            gevent.sleep(0.1)

    jobs: list[Any] = [gevent.spawn(live, name, *sign) for name, sign in signs.items()]
    jobs.append(gevent.spawn(flood))
    gevent.joinall(jobs, raise_error=True)


def showing(sign: Message) -> tuple[float, Show]:
    return _HEARTBEAT_S, lambda one: one.wire.send(sign)


@pytest.mark.clause("HBT.3")
@on_a_connection("over polls there is no connection that the server could clear")
@pytest.mark.waits
def test_who_shows_signs_of_life_is_never_cleared(block: Block, phone: MakePhone) -> None:
    """A connection with timely heartbeats is never cleared, at any load the server accepts; any frame
    counts as a sign of life.

    Phones show each another sign of life once per interval: a PING, a PUSHED, a PULL or a message; one pings
    only every 1.4 intervals. Meanwhile a member floods the group that the user is in. Expected: after several
    times the limit all connections are still open.
    """
    _, friend = block.pick(2)
    signs: dict[str, tuple[float, Show]] = {
        "PING": showing(messages.Ping()),
        "PUSHED": showing(messages.Pushed(1)),
        "PULL": showing(messages.Pull(0, 1)),
        "SEND": (_HEARTBEAT_S, lambda one: one.say(friend.user, b"I live")),
        "late": (1.4 * _HEARTBEAT_S, lambda one: one.wire.send(messages.Ping())),
    }
    assert_living(block, phone, signs)


@pytest.mark.clause("HBT.3")
@on_a_connection("over polls there is no connection that the server could clear")
@pytest.mark.needs("unread", "contacts", "history", "packages")
@pytest.mark.waits
def test_who_asks_once_an_interval_is_never_cleared(block: Block, phone: MakePhone) -> None:
    """... any frame counts as a sign of life: a question as well, and what is refused.

    Phones ask each something else once per interval: for counts, for contacts, for history, or to mark as
    read; one sends packages, one what nobody may send. Meanwhile a member floods the group that the user is
    in. Expected: after several times the limit all connections are still open.
    """
    owner, friend = block.pick(2)
    conversation = conversation_between(owner.user, friend.user)
    phone(friend, "starter").say(owner.user, b"to have something to read")
    questions: dict[str, Message] = {
        "UNREAD": messages.Unread(),
        "CONTACTS": messages.Contacts(0, 1),
        "HISTORY": messages.History(conversation, 0, 1),
        "READ": messages.Read(conversation, 1),
    }
    signs = {name: showing(question) for name, question in questions.items()}
    signs["SEND_PACKAGE"] = (_HEARTBEAT_S, lambda one: say_package(one, friend.user, [b"I", b"live"]))
    signs["a refused SEND"] = (_HEARTBEAT_S, lambda one: one.try_to_say(f"nobody-{fresh_cid()}", b"I live"))
    assert_living(block, phone, signs)


@pytest.mark.clause("HBT.3")
@on_a_connection("over polls there is no connection that the server could clear")
@pytest.mark.waits
def test_a_client_that_beats_keeps_its_connection(block: Block, device: MakeDevice) -> None:
    """A connection with timely heartbeats is never cleared.

    Five clients do nothing but beat. Expected: after several times the limit none has lost its connection.
    """
    devices = [device(user, heartbeat_s=_HEARTBEAT_S) for user in block.pick(5)]
    for each in devices:
        each.log_in()
    gevent.sleep(_LIVING_S)
    for each in devices:
        closed = each.all_of(Closed)
        assert not closed, f"{each.name}: expected the connection to last, it ended: {closed}"
