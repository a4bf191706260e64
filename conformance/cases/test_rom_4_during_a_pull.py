"""ROM.4: what arrives while a device catches up is neither lost nor out of order."""

import random

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakePhone
from conformance.phone import Phone
from drivers.events import GapSkipped
from drivers.pumps.blocking import Device
from protocol.messages import Entry, Pulled

pytestmark = pytest.mark.clause("ROM.4")


def say_in_turn(sources: list[Phone], to: str, count: int) -> None:
    for number in range(count):
        sources[number % len(sources)].say(to, f"{number:04}".encode())


def test_pages_and_pushes_together_leave_no_hole(block: Block, phone: MakePhone) -> None:
    """Messages that arrive during a pull are neither lost nor delivered out of order.

    A device pulls two hundred messages in pages of fifteen, while two friends send two hundred more.
    Expected: each page begins just behind the one before it and has no hole; pushes come in the order of
    versions; what is beyond the last page was pushed.
    """
    recipient, *friends = block.pick(3)
    sources = [phone(user) for user in friends]
    sources[0].say_all(recipient.user, [f"before {number}".encode() for number in range(200)])
    target = phone(recipient)
    sending = gevent.spawn(say_in_turn, sources, recipient.user, 200)
    pulled: list[Entry] = []
    while True:
        page: Pulled = target.pull(len(pulled), 15)
        versions = [entry.version for entry in page.entries]
        wanted = list(range(len(pulled) + 1, len(pulled) + 1 + len(versions)))
        assert versions == wanted, f"a page after {len(pulled)}: expected versions {wanted}, got {versions}"
        pulled += page.entries
        assert page.more == (len(pulled) < page.newest), (
            f"{len(pulled)} of {page.newest} pulled: expected `more` to say whether there is more"
        )
        if not page.more:
            break
    sending.get()
    last = sources[0].say(recipient.user, b"the end")
    target.await_push(b"the end")
    pushed = [push.version for push in target.pushes if push.attempt == 1]
    assert pushed == sorted(set(pushed)), f"expected pushes in the order of versions, got {pushed}"
    newest = target.beat().version
    known = {entry.version for entry in pulled} | set(pushed)
    missing = set(range(1, newest + 1)) - known
    assert not missing, f"expected every version to be pulled or pushed, neither brought {sorted(missing)}"
    by_version = {entry.version: entry.mid for entry in pulled}
    torn = [push.version for push in target.pushes if by_version.get(push.version, push.mid) != push.mid]
    assert not torn, f"expected one message to a version, pull and push differ in {torn}"
    assert last.mid == target.pushes[-1].mid, "expected the last push to be the last message"


def test_between_login_and_the_first_push_nothing_falls(block: Block, phone: MakePhone) -> None:
    """... neither lost: not in the moment in which a device becomes online either.

    While two friends send without a pause, thirty new devices log in one after the other. Expected: what
    LOGGED_IN counts can be pulled at once; everything beyond it is pushed, from the very next version on.
    """
    recipient, *friends = block.pick(3)
    sources = [phone(user) for user in friends]
    sending = [gevent.spawn(send_until_told, source, recipient.user) for source in sources]
    devices = []
    for number in range(30):
        one = phone(recipient, f"device-{number}")
        held = one.inbox()
        assert len(held) >= one.logged_in.version, (
            f"{one.name}: expected the {one.logged_in.version} messages of LOGGED_IN in the inbox, found "
            f"{len(held)}"
        )
        devices.append(one)
    for each in sending:
        each.kill()
    closing = phone(friends[0], "closing")
    closing.say(recipient.user, b"the end")
    for one in devices:
        newest = one.await_push(b"the end").version
        pushed = {push.version for push in one.pushes}
        missing = set(range(one.logged_in.version + 1, newest + 1)) - pushed
        assert not missing, (
            f"{one.name}, logged in at version {one.logged_in.version}: expected everything beyond it to be "
            f"pushed, {sorted(missing)[:10]} were not"
        )


def send_until_told(source: Phone, to: str) -> None:
    number = 0
    while number < 2000:
        source.say(to, f"{number}".encode())
        number += 1
        gevent.sleep(0.001)


def assert_shown(each: Device, wanted: set[bytes], newest: int) -> None:
    each.await_version(newest, timeout_s=20)
    timeline = each.timeline()
    versions = [entry.version for entry in timeline]
    assert versions == list(range(1, newest + 1)), (
        f"{each.name}: expected versions 1 to {newest}, each once and in order, got {versions}"
    )
    shown = {entry.body for entry in timeline}
    assert shown == wanted, f"{each.name}: expected every message, missing {sorted(wanted - shown)[:5]}"
    assert not each.all_of(GapSkipped), f"{each.name}: expected no version to stay missing"


@pytest.mark.waits
def test_clients_that_catch_up_among_running_sends_show_all_in_order(
    block: Block, phone: MakePhone, device: MakeDevice, dice: random.Random
) -> None:
    """... neither lost nor delivered out of order: seen by applications, on paths that lose frames.

    Four devices of a user catch up with 120 messages, in pages of 1, 7, 20 and 50, while three friends send
    150 more; a tenth of what comes down gets lost. Expected: each device shows all 270, in order.
    """
    recipient, *friends = block.pick(4)
    sources = [phone(user) for user in friends]
    sources[0].say_all(recipient.user, [f"before {number}".encode() for number in range(120)])
    devices = []
    for limit in (1, 7, 20, 50):
        one = device(recipient, f"pages of {limit}", pull_limit=limit, heartbeat_s=1, retransmit_start_s=0.1)
        one.lose = lambda direction, message: direction == "down" and dice.random() < 0.1
        devices.append(one)
    sending = gevent.spawn(say_in_turn, sources, recipient.user, 150)
    for one in devices:
        one.start()
    sending.get()
    wanted = {f"before {number}".encode() for number in range(120)}
    wanted |= {f"{number:04}".encode() for number in range(150)}
    for one in devices:
        assert_shown(one, wanted, 270)
