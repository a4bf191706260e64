"""DLV.2: what makes a repeat a repeat is the device and its client message id, and nothing else."""

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone
from conformance.phone import fresh_cid
from protocol.messages import Item, PackageSent, SendPackage

pytestmark = pytest.mark.clause("DLV.2")

_ALIKE = {
    "case": ("a{}", "A{}"),
    "an end beyond 32 characters": ("{}-first", "{}-other"),
    "an end of 64 characters": ("{}" + "x" * 31 + "1", "{}" + "x" * 31 + "2"),
    "a space behind it": ("{}b", "{}b "),
    "an accent": ("{}e", "{}é"),
    "its first zeros": ("7", "007"),
}


@pytest.mark.parametrize("what", _ALIKE)
def test_ids_that_look_alike_are_different(block: Block, phone: MakePhone, what: str) -> None:
    """... retransmits with the same client message id; the server stores it once: the same is the same in
    every character.

    Two messages have client ids that differ in one thing only; each is sent twice. Expected: two messages,
    each repeat with its own first answer.
    """
    sender, friend = block.pick(2)
    source, cid = phone(sender), fresh_cid()
    cids = [form.format(cid) for form in _ALIKE[what] for _ in range(2)]
    found = [source.say(friend.user, each.encode(), cid=each).mid for each in cids]
    assert found[0] == found[1], f"expected a repeat to get the first answer, got {found}"
    assert found[2] == found[3], f"expected a repeat to get the first answer, got {found}"
    assert found[0] != found[2], f"ids that differ in {what}: expected two messages, got {found}"
    assert len(phone(friend).inbox()) == 2, "expected two messages in the inbox"


_DEVICES_ALIKE = {
    "case": (("phone", "{}"), ("Phone", "{}")),
    "an end beyond 32 characters": (("d" * 32 + "1", "{}"), ("d" * 32 + "2", "{}")),
    "where the name ends and the id begins": (("phone", "1{}"), ("phone1", "{}")),
}


@pytest.mark.parametrize("what", _DEVICES_ALIKE)
def test_ids_belong_to_devices_that_look_alike(block: Block, phone: MakePhone, what: str) -> None:
    """... retransmits with the same client message id; the server stores it once: of the device that
    sent it.

    Two devices whose names, or names and ids together, look alike send a message each, twice. Expected: two
    messages, each repeat with its own first answer.
    """
    sender, friend = block.pick(2)
    cid, found = fresh_cid(), []
    for device, form in _DEVICES_ALIKE[what]:
        source = phone(sender, device)
        found += [source.say(friend.user, device.encode(), cid=form.format(cid)).mid for _ in range(2)]
    assert found[0] == found[1], f"expected a repeat to get the first answer, got {found}"
    assert found[2] == found[3], f"expected a repeat to get the first answer, got {found}"
    assert found[0] != found[2], f"devices that differ in {what}: expected two messages, got {found}"
    held = [entry.body.decode() for entry in phone(friend).inbox()]
    wanted = [device for device, _ in _DEVICES_ALIKE[what]]
    assert held == wanted, f"expected a message of each of {wanted} in the inbox, found {held}"


@pytest.mark.needs("packages")
def test_a_repeat_may_name_another_recipient_or_group(block: Block, phone: MakePhone) -> None:
    """... stores it once and returns the same message id and sequence each time: wherever it goes.

    A message and a package to the group are sent three times, the last time to somebody else. Expected: the
    first answer each time; the group has them once, and the other nothing.
    """
    members = block.members()
    source, other = phone(members[0]), phone(members[1])
    cid, package = fresh_cid(), fresh_cid()
    first = source.say(block.group, b"once", cid=cid)
    for to in (block.group, members[1].user):
        again = source.say(to, b"once", cid=cid)
        assert again == first, f"expected {first} again, got {again}"
    answers = []
    for to in (block.group, block.group, members[1].user):
        source.wire.send(SendPackage(package, to, [Item("text", b"a"), Item("text", b"b")]))
        answers.append(source.expect(PackageSent))
    assert answers[1:] == [answers[0]] * 2, f"expected {answers[0]} again, got {answers[1:]}"
    found = [entry.body for entry in other.inbox()]
    assert found == [b"once", b"a", b"b"], f"expected the message and the package once, got {found}"
