"""ROM.1, ROM.2, ROM.5: devices whose names look alike, and everything that a device misses."""

import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import Clients, MakePhone
from conformance.phone import Phone, fresh_cid
from conformance.target import Target
from conformance.verdicts import not_offered
from protocol.messages import GoAway, Item, PackageSent, SendPackage


@pytest.mark.clause("ROM.5")
@on_a_connection("a poll is no login, so it replaces nothing")
def test_devices_whose_names_look_alike_stay(block: Block, phone: MakePhone) -> None:
    """Logging in again as the same device replaces the old connection; other devices stay: a name is the same
    in every character.

    Devices log in whose names differ in case, in a space, in an accent, at their ends, and two that are
    numbers. Expected: all of them are connected, and each is pushed what a friend sends.
    """
    owner, friend = block.pick(2)
    names = [
        "phone",
        "Phone",
        "PHONE",
        "phone ",
        " phone",
        "phoné",
        "phone" + "e" * 59,
        "phone" + "e" * 58 + "f",
        "7",
        "07",
    ]
    devices = [phone(owner, name) for name in names]
    phone(friend).say(owner.user, b"for all")
    for each in devices:
        each.await_push(b"for all")


@pytest.mark.clause("ROM.5")
@pytest.mark.once("connections over every carrier that the target offers take part")
def test_a_device_is_replaced_whatever_carries_it(block: Block, target: Target, clients: Clients) -> None:
    """Logging in again as the same device replaces the old connection, which is told why: also if it comes
    another way.

    A device logs in over each long connection that the target offers, one after the other, and over the
    first again. Expected: the old connection gets GO_AWAY(replaced) each time, and ends.
    """
    ways = [name for name in ("tcp", "ws", "tls", "wss") if target.endpoints_of(name)]
    if len(ways) < 2:
        not_offered("the target offers one kind of long connection only")
    user = block.users[0]
    old: Phone | None = None
    for name in [*ways, ways[0]]:
        new = Phone(clients.wire_to(target.endpoints_of(name)[0]), user, "phone")
        if old is not None:
            came = old.wire.expect_closed()
            away = [message.reason for message in came if isinstance(message, GoAway)]
            assert away == ["replaced"], f"before {name}: expected GO_AWAY(replaced) and the end, got {came}"
        new.beat()
        old = new


@pytest.mark.clause("ROM.2")
@pytest.mark.needs("packages")
def test_a_device_that_was_away_misses_nothing_of_any_kind(block: Block, phone: MakePhone) -> None:
    """A device that comes back pulls increments by version: each missed message once, in order, of whichever
    kind.

    While a member is away a friend writes to him, in the group, and sends packages to both; from another
    device he writes himself. Expected: his pull, in pages of three and at once, brings all of it in order.
    """
    owner, friend = block.members()[:2]
    before = phone(owner).logged_in.version
    own, source = phone(owner, "other"), phone(friend)
    wanted: list[bytes] = []
    for number in range(3):
        for sender, to in (
            (source, owner.user),
            (source, block.group),
            (own, friend.user),
            (own, block.group),
        ):
            wanted.append(f"{number} from {sender.name} to {to}".encode())
            sender.say(to, wanted[-1])
            items = [Item("text", b"%d of " % item + wanted[-1]) for item in range(2)]
            sender.wire.send(SendPackage(fresh_cid(), to, items))
            sender.expect(PackageSent)
            wanted += [item.body for item in items]
    reader = phone(owner, "reader")
    for limit in (1000, 3):
        found = [entry.body for entry in reader.inbox(before, limit)]
        assert found == wanted, f"in pages of {limit}: expected {len(wanted)} in order, got {found}"
