"""STO.1 to STO.3, where stores get it wrong: untidy bodies, long histories, contacts after reads."""

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone
from conformance.phone import fresh_cid
from protocol.messages import Item, PackageSent, SendPackage
from protocol.names import conversation_between

_UNTIDY = (
    b"",
    b" ",
    b"  around  ",
    b"\n",
    b"line\r\nline\n\r",
    b"\t\x0b\x0c",
    b"\x00",
    b"ends in nul\x00\x00",
    "e\u0301 is not \u00e9, \ufb01 is not fi, \u212b".encode(),
    "\ufeffbyte order mark".encode(),
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \ud7ff \uffff".encode(),
    b"\xed\xa0\x80 a surrogate",
    b"'; --\\ %s %00 &amp; <b>",
    b"\xff" * 100,
)


@pytest.mark.clause("STO.1", "DLV.1")
@pytest.mark.needs("history")
def test_bodies_are_bytes_and_stay_as_they_are(block: Block, phone: MakePhone) -> None:
    """... content ... of a message are stored once: the content that was sent, byte for byte.

    Bodies that are empty, blank, have spaces or zeros at their ends, line ends of all kinds, text in another
    Unicode form, or no text at all go to a friend. Expected: his inbox and the sender's history have them as
    they were sent, in order.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    sent = source.say_all(friend.user, list(_UNTIDY))
    inbox = [entry.body for entry in phone(friend).inbox()]
    history = [entry.body for entry in source.history(sent[0].conversation).entries][::-1]
    for where, found in (("the inbox", inbox), ("the history", history)):
        assert len(found) == len(_UNTIDY), f"{where}: expected {len(_UNTIDY)} messages, got {len(found)}"
        for got, body in zip(found, _UNTIDY, strict=True):
            assert got == body, f"{where}: expected {body!r}, got {got!r}"


@pytest.mark.clause("STO.2")
@pytest.mark.needs("packages")
def test_a_long_history_goes_back_to_its_beginning(block: Block, phone: MakePhone) -> None:
    """... history between two users pages backwards from any point, newest first, without gaps or repeats: to
    its first message, and with packages in it.

    Eleven hundred messages, every third hundred as a package, are read back in pages of the
    largest size and of 150. Expected: all of them, as they were sent.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    bodies: list[bytes] = []
    for part in range(11):
        more = [b"%d" % (part * 100 + number) for number in range(100)]
        bodies += more
        if part % 3:
            source.say_all(friend.user, more)
        else:
            items = [Item("text", body) for body in more]
            source.wire.send(SendPackage(fresh_cid(), friend.user, items))
            source.expect(PackageSent)
    name = conversation_between(sender.user, friend.user)
    reader = phone(friend)
    for limit in (1000, 150):
        found: list[bytes] = []
        before, more_follows = 0, True
        while more_follows:
            page = reader.history(name, before, limit)
            assert page.entries, f"in pages of {limit}, before {before}: expected entries"
            found += [entry.body for entry in page.entries]
            before, more_follows = page.entries[-1].sequence, page.more
        assert found == bodies[::-1], f"in pages of {limit}: expected 1100, got {len(found)} or others"


@pytest.mark.clause("STO.3")
@pytest.mark.needs("unread")
def test_a_read_changes_the_count_of_a_contact_only(block: Block, phone: MakePhone) -> None:
    """... with the newest message id, most recent first: a read is no message.

    Three friends write; the user looks at the contacts, reads what the first wrote, and looks again.
    Expected: the same contacts in the same order, with the same newest ids; only the first count is nought.
    """
    owner, *friends = block.pick(4)
    sent = [phone(friend).say(owner.user, b"hello") for friend in friends]
    reader = phone(owner, "reader")
    before = reader.contacts()
    assert [contact.mid for contact in before] == [each.mid for each in sent[::-1]], (
        f"expected the contacts with {sent[::-1]}, got {before}"
    )
    reader.read(sent[0].conversation, sent[0].sequence)
    after = reader.contacts()
    assert [(each.peer, each.mid, each.sequence) for each in after] == [
        (each.peer, each.mid, each.sequence) for each in before
    ], f"expected a read to move no contact of {before}, got {after}"
    counts = [contact.unread for contact in after]
    assert counts == [1, 1, 0], f"expected the counts [1, 1, 0], got {counts}"
