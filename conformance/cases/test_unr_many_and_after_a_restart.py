"""UNR.1 and UNR.2: counts beyond what a byte holds, and read points after a restart."""

from typing import TYPE_CHECKING

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone
from conformance.phone import fresh_cid
from protocol.messages import Read, Send

if TYPE_CHECKING:
    from refserver.process import ServerProcess


@pytest.mark.clause("UNR.1", "UNR.3")
def test_counts_go_on_beyond_a_few_hundred(block: Block, phone: MakePhone) -> None:
    """... each equals the messages received and not read: however many.

    A member is sent 300 messages at once, and 260 in a group; then all but 256 of the first are read.
    Expected: 300 and 260, together 560; then 256 and 260.
    """
    owner, friend = block.members()[:2]
    source, reader = phone(friend), phone(owner)
    single = source.say_all(owner.user, [b"%d" % number for number in range(300)])
    grouped = source.say_all(block.group, [b"%d" % number for number in range(260)])
    names = (single[0].conversation, grouped[0].conversation)
    for wanted in ((300, 260), (256, 260)):
        total, counts = reader.unread()
        found = tuple(counts.get(name, 0) for name in names)
        assert found == wanted, f"expected the counts {wanted}, got {found}"
        assert total == sum(wanted), f"expected a total of {sum(wanted)}, got {total}"
        reader.read(names[0], single[43].sequence)


@pytest.mark.clause("UNR.2")
def test_an_older_point_changes_nothing_after_a_restart(
    block: Block, phone: MakePhone, server: "ServerProcess"
) -> None:
    """... reading twice, an older point ... changes nothing further: the point outlives the server.

    Of five messages four are read; the server is killed and started; then older points are read, and the
    same. Expected: one unread all the time.
    """
    owner, friend = block.pick(2)
    sent = phone(friend).say_all(owner.user, [b"%d" % number for number in range(5)])
    reader = phone(owner)
    name = sent[0].conversation
    reader.read(name, sent[3].sequence)
    server.kill()
    server.start()
    reader = phone(owner)
    for point in (0, 2, 3):
        reader.read(name, sent[point].sequence)
        total, counts = reader.unread()
        assert (total, counts) == (1, {name: 1}), (
            f"after a read up to the {point + 1}. of five: expected 1 unread, got {total} and {counts}"
        )


@pytest.mark.clause("UNR.2", "UNR.3")
def test_reads_that_meet_sends_clear_only_what_they_name(block: Block, phone: MakePhone) -> None:
    """Reading up to a message lowers both counts: of what lies beyond it nothing, however they meet.

    Ten times a friend sends thirty messages in one piece, while the user reads, in one piece, up to thirty
    older points. Expected: each time what is unread is what lies beyond the last point.
    """
    owner, friend = block.pick(2)
    source, reader = phone(friend), phone(owner)
    name = source.say_all(owner.user, [b"before"] * 31)[0].conversation
    point = 0
    for turn in range(10):
        sends = [Send(fresh_cid(), owner.user, "text", b"%d" % number) for number in range(30)]
        for send in sends:
            source.wire.send(send)
            point += 1
            reader.wire.send(Read(name, point))
        source.answers_to([send.cid for send in sends])
        reader.read(name, point)
        total, counts = reader.unread()
        wanted = 31 + 30 * (turn + 1) - point
        assert (total, counts.get(name, 0)) == (wanted, wanted), (
            f"turn {turn}: expected {wanted} unread, got {total} and {counts}"
        )
