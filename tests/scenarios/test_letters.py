"""Whatever is changed about a letter on its way is seen when it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.letters import HEAD_BYTES, Stationery

RUN, OTHER_RUN = b"run1", b"run2"
SENDER, CONVERSATION, KIND = "u1", "u1:u2", "text"

messages = st.integers(0, 2**63 - 1)
sizes = st.integers(0, 400)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


def write(message: int = 1 << 32 | 7, planned_ns: int = 5, size: int = 100, run: bytes = RUN) -> bytes:
    return Stationery(run).write(message, planned_ns, SENDER, CONVERSATION, KIND, size)


@given(messages, st.integers(0, 2**63 - 1), sizes)
def test_what_was_written_is_read(message: int, planned_ns: int, size: int) -> None:
    body = write(message, planned_ns, size)
    assert len(body) == max(size, HEAD_BYTES)
    assert Stationery(RUN).read(body, SENDER, CONVERSATION, KIND) == (message, planned_ns, True)


@given(messages, sizes, st.data())
def test_any_change_of_any_byte_is_seen(message: int, size: int, data: st.DataObject) -> None:
    body = bytearray(write(message, 5, size))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    letter = Stationery(RUN).read(bytes(body), SENDER, CONVERSATION, KIND)
    assert letter is None or not letter.intact
    assert not Stationery(RUN).is_foreign(bytes(body), SENDER, CONVERSATION, KIND)


@given(sizes, st.data())
def test_anything_cut_off_or_added_is_seen(size: int, data: st.DataObject) -> None:
    body = write(size=size)
    changed = data.draw(
        st.one_of(
            st.integers(0, len(body) - 1).map(lambda end: body[:end]),
            st.binary(min_size=1, max_size=9).map(lambda more: body + more),
        )
    )
    letter = Stationery(RUN).read(changed, SENDER, CONVERSATION, KIND)
    assert letter is None or not letter.intact


@given(st.permutations([0, 1, 2]), names, names, names)
def test_another_sender_conversation_or_kind_is_seen(
    order: list[int], sender: str, conversation: str, kind: str
) -> None:
    read = (sender, conversation, kind)
    letter = Stationery(RUN).read(write(), *read)
    assert letter is not None
    assert letter.intact == (read == (SENDER, CONVERSATION, KIND))
    written = (SENDER, CONVERSATION, KIND)
    moved = Stationery(RUN).read(write(), *(written[place] for place in order))
    assert moved is not None
    assert moved.intact == (order == [0, 1, 2])


def test_what_moves_from_one_name_to_the_next_is_seen() -> None:
    letter = Stationery(RUN).read(write(), SENDER + CONVERSATION[0], CONVERSATION[1:], KIND)
    assert letter is not None
    assert not letter.intact


@given(messages, sizes)
def test_a_letter_of_another_run_is_foreign_and_nothing_else(message: int, size: int) -> None:
    body = write(message, 5, size, OTHER_RUN)
    assert Stationery(RUN).read(body, SENDER, CONVERSATION, KIND) is None
    assert Stationery(RUN).is_foreign(body, SENDER, CONVERSATION, KIND)
    assert not Stationery(OTHER_RUN).is_foreign(body, SENDER, CONVERSATION, KIND)
    assert not Stationery(RUN).is_foreign(body, "u2", CONVERSATION, KIND)


@pytest.mark.parametrize("body", [b"", b"run2", b"hello, who are you?", bytes(HEAD_BYTES), b"\xff" * 300])
def test_what_is_no_letter_is_neither_read_nor_foreign(body: bytes) -> None:
    assert Stationery(RUN).read(body, SENDER, CONVERSATION, KIND) is None
    assert not Stationery(RUN).is_foreign(body, SENDER, CONVERSATION, KIND)
