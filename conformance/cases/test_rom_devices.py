"""ROM.1 and ROM.2: several devices, each for itself; who comes back gets what it missed and nothing else."""

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import MakeDevice, MakePhone, farewell
from conformance.verdicts import Undecided
from drivers.events import Delivered, GapSkipped, Repeated
from drivers.pumps.wire import Expected
from protocol.messages import Push


@pytest.mark.clause("ROM.1")
def test_every_online_device_is_pushed_to(block: Block, phone: MakePhone) -> None:
    """A message is pushed to every online device of its recipient.

    A recipient has twenty-five devices online; one leaves in order, one without a word, and another one
    comes. Expected: each message is pushed to each device that is online, with the same version.
    """
    sender, recipient = block.pick(2)
    source = phone(sender)
    devices = [phone(recipient, f"device-{number}") for number in range(25)]

    def assert_pushed(body: bytes) -> None:
        source.say(recipient.user, body)
        versions = {each.await_push(body).version for each in devices}
        assert len(versions) == 1, f"{body!r}: expected one version for all devices, got {versions}"

    assert_pushed(b"to all")
    farewell(devices.pop(0))
    devices.pop().hang_up()
    assert_pushed(b"to those who stayed")
    devices.append(phone(recipient, "newcomer"))
    assert_pushed(b"to the newcomer as well")


@pytest.mark.clause("ROM.1")
@on_a_connection("over polls nothing is acknowledged")
@pytest.mark.waits
def test_each_device_acknowledges_for_itself(block: Block, phone: MakePhone) -> None:
    """... and each device acknowledges for itself.

    Of two messages pushed to three devices, the phone acknowledges both, the tablet the first, the watch
    none. Expected: repeats of the second to the tablet, of both to the watch, of nothing to the phone.
    """
    sender, recipient, other = block.pick(3)
    devices = {name: phone(recipient, name) for name in ("watch", "tablet", "phone")}
    source, control = phone(sender), phone(other)
    for body in (b"first", b"second"):
        source.say(recipient.user, body)
    source.say(other.user, b"to compare")
    control.await_push(b"to compare")
    for each in devices.values():
        each.await_push(b"second")
    devices["tablet"].acknowledge(devices["tablet"].await_push(b"first").version)
    devices["phone"].acknowledge(devices["phone"].await_push(b"second").version)

    def await_repeat(name: str, body: bytes) -> None:
        if len(devices[name].times_of(body)) < 2:
            devices[name].expect(Push, lambda push: push.body == body, timeout_s=4.0)

    # Whether pushes are repeated at all is another clause's question; without repeats nothing can be seen.
    try:
        control.expect(Push)
    except Expected as error:
        raise Undecided("no push was repeated to a user's only device") from error
    for name, body in (("watch", b"first"), ("watch", b"second"), ("tablet", b"second")):
        await_repeat(name, body)
    for each in devices.values():
        each.listen(0.3)
    repeated = {
        (name, body)
        for name, each in devices.items()
        for body in (b"first", b"second")
        if len(each.times_of(body)) > 1
    }
    expected = {("tablet", b"second"), ("watch", b"first"), ("watch", b"second")}
    assert repeated == expected, f"expected repeats of {sorted(expected)}, got {sorted(repeated)}"


@pytest.mark.clause("ROM.1")
def test_one_device_having_all_does_not_keep_another_from_getting_it(
    block: Block, device: MakeDevice
) -> None:
    """... every online device, each for itself: also where one device loses what another has acknowledged.

    Two devices are online; the path to one loses every first copy of a push. Expected: both show all ten
    messages, although the other one acknowledged each long before.
    """
    sender, recipient = block.pick(2)
    good, bad = device(recipient, "good"), device(recipient, "bad", heartbeat_s=1)
    lost: set[int] = set()

    def lose_first_copy(direction: str, message: object) -> bool:
        if isinstance(message, Push) and message.version not in lost:
            lost.add(message.version)
            return True
        return False

    bad.lose = lose_first_copy
    for each in (good, bad):
        each.log_in()
    source = device(sender)
    source.log_in()
    bodies = [f"for both {number}".encode() for number in range(10)]
    for body in bodies:
        source.send_and_await(recipient.user, body)
    for each in (good, bad):
        each.await_delivered(bodies[-1])
        shown = [entry.body for entry in each.timeline()]
        assert shown == bodies, f"{each.name}: expected all ten messages in order, got {shown}"


@pytest.mark.clause("ROM.2")
def test_a_device_that_comes_back_gets_just_what_it_missed(block: Block, device: MakeDevice) -> None:
    """A device that comes back pulls increments by version: it gets each missed message once, in order, and
    nothing it already had.

    A device leaves three times; each time messages of two friends come while it is away, and more when it is
    back. Expected: after each return it shows exactly what it missed, in order; nothing comes again.
    """
    recipient, one, other = block.pick(3)
    target = device(recipient)
    sources = [device(one), device(other)]
    for each in (target, *sources):
        each.log_in()
    everything: list[bytes] = []

    def send(label: str) -> None:
        for number in range(6):
            everything.append(f"{label} {number}".encode())
            sources[number % 2].send_and_await(recipient.user, everything[-1])

    for turn in range(3):
        send(f"there, turn {turn}")
        target.await_delivered(everything[-1])
        target.leave()
        send(f"away, turn {turn}")
        seen = len(target.events)
        target.log_in()
        target.await_delivered(everything[-1])
        new = [e.entry.body for e in target.events[seen:] if isinstance(e, Delivered)]
        assert new == everything[-6:], f"turn {turn}: expected the six missed messages in order, got {new}"
        again = [e.entry.body for e in target.events[seen:] if isinstance(e, Repeated)]
        assert not again, f"turn {turn}: expected nothing that it already had, got {again}"
    shown = [entry.body for entry in target.timeline()]
    assert shown == everything, f"expected every message once and in order, got {shown}"


@pytest.mark.clause("ROM.2")
def test_each_device_has_its_own_increment(block: Block, phone: MakePhone) -> None:
    """... pulls increments by version: what a device missed depends on what that device has.

    Devices that have 0, 3 and 9 of ten messages come back and pull after that. Expected: each gets what
    follows, once, in order, although others have pulled and acknowledged all.
    """
    sender, recipient = block.pick(2)
    bodies = [f"{number}".encode() for number in range(10)]
    phone(sender).say_all(recipient.user, bodies)
    whole = phone(recipient, "whole")
    entries = whole.inbox()
    assert [entry.body for entry in entries] == bodies, "expected a new device to get all messages in order"
    whole.acknowledge(entries[-1].version)
    for had in (0, 3, 9):
        version = entries[had - 1].version if had else 0
        back = phone(recipient, f"had-{had}", version=version)
        got = [entry.body for entry in back.inbox(version)]
        assert got == bodies[had:], f"a device that had {had}: expected {bodies[had:]}, got {got}"


@pytest.mark.clause("ROM.2")
def test_a_long_absence_comes_in_pages_without_seams(block: Block, device: MakeDevice) -> None:
    """... each missed message once, in order, also when it takes many pulls, and messages go on coming.

    A device misses a hundred messages and pulls seven at a time, while twenty more are sent. Expected: it
    shows all hundred and twenty in order; no version is skipped.
    """
    sender, recipient = block.pick(2)
    source = device(sender)
    source.log_in()
    first = device(recipient, "phone", pull_limit=7)
    first.log_in()
    first.leave()
    bodies = [f"{number:03}".encode() for number in range(120)]
    for body in bodies[:100]:
        source.send_and_await(recipient.user, body)

    def go_on() -> None:
        for body in bodies[100:]:
            source.send_and_await(recipient.user, body)

    sending = gevent.spawn(go_on)
    first.log_in()
    sending.get()
    first.await_delivered(bodies[-1])
    shown = [entry.body for entry in first.timeline()]
    assert shown == bodies, f"expected the 120 messages in order, got {len(shown)}: {shown}"
    assert not first.all_of(GapSkipped), "expected no version to stay missing"


@pytest.mark.clause("ROM.2")
def test_a_device_that_was_wiped_gets_everything_again(block: Block, device: MakeDevice) -> None:
    """... increments by version: a device that says it has nothing has missed everything.

    A device with ten messages comes back under its old name, but empty. Expected: it shows all ten in order.
    """
    sender, recipient = block.pick(2)
    source, before = device(sender), device(recipient)
    for each in (source, before):
        each.log_in()
    bodies = [f"{number}".encode() for number in range(10)]
    for body in bodies:
        source.send_and_await(recipient.user, body)
    before.await_delivered(bodies[-1])
    before.leave()
    wiped = device(recipient)
    wiped.log_in()
    wiped.await_delivered(bodies[-1])
    shown = [entry.body for entry in wiped.timeline()]
    assert shown == bodies, f"expected all ten messages in order, got {shown}"
