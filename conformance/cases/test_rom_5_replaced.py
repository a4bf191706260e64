"""ROM.5: the same device logging in again replaces its old connection, and nothing else."""

from collections.abc import Callable

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import MakeDevice, MakePhone
from conformance.phone import Phone
from drivers.events import Closed, CloseReason, GoneAway, Opened
from drivers.pumps.wire import Wire
from protocol.messages import Error, GoAway, LoggedIn, Login, Message

pytestmark = [
    pytest.mark.clause("ROM.5"),
    on_a_connection("over polls no connection lasts, so none is replaced"),
]


def says_replaced(messages: list[Message]) -> bool:
    """Whether the connection was told why it ended: GO_AWAY(replaced), or the error for it."""
    return any(
        (isinstance(message, GoAway) and message.reason == "replaced")
        or (isinstance(message, Error) and message.code == 409)
        for message in messages
    )


def assert_replaced(old: Phone, when: str) -> None:
    came = old.wire.expect_closed()
    assert says_replaced(came), f"{old.name}, {when}: expected GO_AWAY replaced before the end, got {came}"


def test_the_old_connection_is_told_why_and_closed(block: Block, phone: MakePhone) -> None:
    """Logging in again as the same device replaces the old connection, which is told why.

    A phone logs in five times, while messages for it come. Expected: each time the connection before it
    gets GO_AWAY replaced and is closed; the new one is answered and pushed to.
    """
    user, friend = block.pick(2)
    source, old = phone(friend), phone(user)
    for turn in range(5):
        new = phone(user)
        assert_replaced(old, f"replaced for time {turn + 1}")
        body = f"after login {turn + 2}".encode()
        sent = source.say(user.user, body)
        push = new.await_push(body)
        assert push.mid == sent.mid, f"expected the new connection to be pushed {sent.mid}, got {push.mid}"
        old = new
    assert old.beat().version == 5, "expected the last connection to work"


def test_other_devices_and_other_users_stay(block: Block, phone: MakePhone) -> None:
    """... other devices stay: those of the user, and those of others that are called the same.

    A phone logs in again; tablet and watch of the user, and phones of a friend and of a stranger, are
    online. Expected: none of them is told or closed anything; the tablet and the friend's phone are pushed
    to as before.
    """
    user, friend, sender = block.pick(3)
    stranger = block.account(block.strangers[0])
    source = phone(sender)
    others = [phone(user, "tablet"), phone(user, "watch"), phone(friend, "phone"), phone(stranger, "phone")]
    old = phone(user, "phone")
    phone(user, "phone")
    assert_replaced(old, "after the second login")
    for each in others:
        each.beat()
        gone = [message for message in each.told if isinstance(message, GoAway | Error)]
        assert not gone, f"{each.name}: expected to be left alone, got {gone}"
    for to in (user, friend):
        source.say(to.user, b"still there")
    for each in others[:3]:
        each.await_push(b"still there")


def test_what_the_old_connection_did_not_acknowledge_is_not_lost(block: Block, phone: MakePhone) -> None:
    """... replaces: the new connection takes over where the device is, not where its old connection was.

    Five messages are pushed to a phone, of which it acknowledges two; it logs in again with the version of
    the second, and a sixth message comes. Expected: a pull brings the three, and the sixth is pushed.
    """
    user, friend = block.pick(2)
    source, old = phone(friend), phone(user)
    bodies = [f"{number}".encode() for number in range(5)]
    source.say_all(user.user, bodies)
    old.await_push(bodies[-1])
    old.acknowledge(2)
    new = phone(user, version=2)
    assert_replaced(old, "with three pushes open")
    found = [entry.body for entry in new.inbox(2)]
    assert found == bodies[2:], f"expected {bodies[2:]} by a pull, got {found}"
    source.say(user.user, b"sixth")
    new.await_push(b"sixth")


def test_of_many_logins_at_once_one_stays(block: Block, wire: Callable[[], Wire], phone: MakePhone) -> None:
    """... replaces the old connection: also where it is not clear which one is older.

    Ten times, eight connections log in as the same device at the same moment. Expected: seven are told that
    they were replaced and closed; one stays, and it is pushed to.
    """
    user, friend = block.pick(2)
    source = phone(friend)

    def try_to_stay(turn: int, connection: Wire) -> tuple[bool, list[Message]]:
        connection.send(Login(user.token, f"device-{turn}"))
        came: list[Message] = []
        while (message := connection.next()) is not None:
            came.append(message)
            if getattr(message, "body", b"") == f"turn {turn}".encode():
                return True, came
        return False, came

    for turn in range(10):
        jobs = [gevent.spawn(try_to_stay, turn, wire()) for _ in range(8)]
        while sum(job.ready() for job in jobs) < 7 and not all(job.ready() for job in jobs):
            if not gevent.wait(jobs, timeout=5.0, count=sum(job.ready() for job in jobs) + 1):
                break
        closed = sum(job.ready() for job in jobs)
        assert closed == 7, f"turn {turn}: expected seven of eight connections to be closed, {closed} were"
        source.say(user.user, f"turn {turn}".encode())
        results = [job.get() for job in jobs]
        stayed = [came for is_there, came in results if is_there]
        assert len(stayed) == 1, f"turn {turn}: expected one connection to get the push, {len(stayed)} did"
        assert isinstance(stayed[0][0], LoggedIn), f"expected LOGGED_IN first, got {stayed[0][0]}"
        untold = [came for is_there, came in results if not is_there and not says_replaced(came)]
        assert not untold, f"turn {turn}: expected all others to be told replaced, got {untold}"


def test_a_refused_login_replaces_nothing(block: Block, wire: Callable[[], Wire], phone: MakePhone) -> None:
    """*Logging in* again replaces: an attempt that is refused does not.

    Somebody tries to log in under the device's name with an expired token, a broken one, and none.
    Expected: 401 each time; the device stays as it is.
    """
    user, friend = block.pick(2)
    target = phone(user)
    for token in (user.expired_token or "expired.1.x", user.token[:-6] + "AAAAAA", ""):
        connection = wire()
        connection.send(Login(token, "phone"))
        errors = [message for message in connection.expect_closed() if isinstance(message, Error)]
        assert [error.code for error in errors] == [401], f"expected ERROR 401 and the end, got {errors}"
    target.beat()
    phone(friend).say(user.user, b"still yours")
    target.await_push(b"still yours")
    assert not any(isinstance(message, GoAway) for message in target.told), "expected no GO_AWAY"


def test_two_clients_of_one_name_do_not_chase_each_other(block: Block, device: MakeDevice) -> None:
    """... which is told why: so that it does not come back by itself and replace the new one.

    Two clients run as the same device. Expected: the first hears that it was replaced and stays away; the
    second stays logged in and shows what comes.
    """
    user, friend = block.pick(2)
    first, second = device(user, reconnect_base_s=0.05), device(user, reconnect_base_s=0.05)
    first.log_in()
    second.log_in()
    closed = first.await_event(Closed)
    assert closed.reason is CloseReason.REPLACED, f"expected the reason replaced, got {closed}"
    assert first.all_of(GoneAway)[-1].reason == "replaced", "expected GO_AWAY to say replaced"
    source = device(friend)
    source.log_in()
    for number in range(10):
        source.send_and_await(user.user, f"{number}".encode())
        second.await_delivered(f"{number}".encode())
        gevent.sleep(0.03)
    opened = len(first.all_of(Opened))
    assert opened == 1, f"expected the replaced client to stay away, it connected {opened} times"
    assert not second.all_of(Closed), f"expected the second to stay, got {second.all_of(Closed)}"


@pytest.mark.waits
def test_the_end_of_the_old_connection_leaves_the_new_one_alone(block: Block, phone: MakePhone) -> None:
    """... replaces the old connection: whose end, however late it is noticed, is not the new one's.

    A device logs in again, and the client does not close its old connection. Expected: four seconds later the
    new one is pushed what a friend and another device of the user send, and its heartbeats tell their number.
    """
    user, friend = block.pick(2)
    source, tablet = phone(friend), phone(user, "tablet")
    old = phone(user)
    new = phone(user)
    assert_replaced(old, "after the second login")
    new.listen(4.0)
    source.say(user.user, b"much later")
    tablet.say(friend.user, b"from the tablet")
    for body in (b"much later", b"from the tablet"):
        new.await_push(body)
    told = new.beat().version
    assert told == 2, f"expected the new connection to be told version 2, got {told}"
