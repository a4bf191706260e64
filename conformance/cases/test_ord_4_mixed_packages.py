"""ORD.4, ORD.2, STO.1: packages of items that are not all alike, and packages among single messages."""

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone
from conformance.packages import package, package_answer
from conformance.phone import fresh_cid
from protocol.messages import Entry, Item, Message, PackageSent, Send, SendPackage, Sent

_MIXED = [
    ("text", b"same"),
    ("image", b"\x00\xff picture"),
    ("text", b""),
    ("text", b"same"),
    ("custom", b"{}"),
    ("audio", b""),
    ("image", b"\x00\xff picture"),
    ("text", b"last"),
]


@pytest.mark.clause("ORD.4", "STO.1")
@pytest.mark.needs("packages", "history")
@pytest.mark.parametrize("to", ["a friend", "the group"])
def test_items_of_every_kind_stay_as_they_are(block: Block, phone: MakePhone, to: str) -> None:
    """Related messages sent as one package ... appear adjacent and in the given order: whatever they are.

    A package of items of several kinds, two of them empty and some alike, is sent. Expected: PACKAGE_SENT
    places each item; the recipient's push, inbox and history show all of them with their kinds, bodies and
    places, in the given order, and the time that the sender was told.
    """
    members = block.members()
    name = block.group if to == "the group" else members[1].user
    source, target = phone(members[0]), phone(members[1])
    frame = SendPackage(fresh_cid(), name, [Item(kind, body) for kind, body in _MIXED])
    source.wire.send(frame)
    answer = package_answer(source, frame.cid)
    assert isinstance(answer, PackageSent), f"expected PACKAGE_SENT, got {answer}"
    places = [(each.mid, each.sequence) for each in answer.placed]
    assert len(places) == len(_MIXED), f"expected {len(_MIXED)} items to be placed, got {places}"
    target.await_push(b"last")
    shown: dict[str, list[Entry]] = {
        "pushed": [push for push in target.pushes if push.attempt == 1],
        "in the inbox": target.inbox(),
        "in the history": target.history(answer.conversation).entries[::-1],
    }
    for way, entries in shown.items():
        found = [(entry.kind, entry.body) for entry in entries]
        assert found == _MIXED, f"{way}: expected {_MIXED}, got {found}"
        at = [(entry.mid, entry.sequence) for entry in entries]
        assert at == places, f"{way}: expected the places of PACKAGE_SENT, {places}, got {at}"
        times = [entry.at_ms for entry in entries]
        assert min(times) <= answer.at_ms <= max(times), (
            f"{way}: expected a time that PACKAGE_SENT tells, {answer.at_ms}, got {times}"
        )


@pytest.mark.clause("ORD.2")
@pytest.mark.needs("packages")
def test_packages_and_single_messages_keep_their_order(block: Block, phone: MakePhone) -> None:
    """Messages of one sender in one conversation keep the order in which they were first sent: packages and
    single ones together.

    Single messages and packages in turn go out in one piece, to a friend and to the group. Expected: the
    recipient's inbox has them in the order of sending.
    """
    members = block.members()
    source, target = phone(members[0]), phone(members[1])
    for to in (members[1].user, block.group):
        wanted: list[bytes] = []
        sends: list[Message] = []
        for number in range(6):
            bodies = [f"{to} {number}/{item}".encode() for item in range(3 if number % 2 else 1)]
            wanted += bodies
            single = Send(fresh_cid(), to, "text", bodies[0])
            sends.append(package(fresh_cid(), to, bodies) if number % 2 else single)
        before = target.beat().version
        source.wire.send(*sends)
        answered = 0
        while answered < len(sends):
            source.expect_one_of((Sent, PackageSent))
            answered += 1
        found = [entry.body for entry in target.inbox(before)]
        assert found == wanted, f"to {to}: expected the order of sending, got {found}"
