"""What a body means, and what is none."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.limits import HEADER_BYTES, MAX_HEARTBEAT_S
from protocol.messages import (
    BY_TYPE,
    FROM_CLIENT,
    FROM_SERVER,
    Bye,
    Entry,
    Message,
    Ping,
    Pong,
    Push,
    Pushed,
    decode_body,
    encode_body,
)

KINDS = sorted(BY_TYPE.items())
pack = msgspec.msgpack.encode


@given(st.from_type(Message))
def test_a_message_comes_back_as_it_was_sent(message: Message) -> None:
    assert decode_body(message.TYPE, encode_body(message)) == message


@given(st.from_type(Entry), st.integers(2, 5))
def test_an_inbox_entry_is_a_first_push_and_a_trailing_attempt_marks_a_repeat(
    entry: Entry, attempt: int
) -> None:
    first = Push(**msgspec.structs.asdict(entry))
    again = msgspec.structs.replace(first, attempt=attempt)
    assert decode_body(Push.TYPE, encode_body(entry)) == first
    assert decode_body(Push.TYPE, encode_body(again)) == again


@given(st.from_type(Entry), st.integers(2, 5))
def test_a_peer_that_knows_no_attempt_reads_a_repeated_push(entry: Entry, attempt: int) -> None:
    body = encode_body(msgspec.structs.replace(Push(**msgspec.structs.asdict(entry)), attempt=attempt))
    assert msgspec.msgpack.decode(body, type=Entry) == entry


@given(st.from_type(Message), st.lists(st.none() | st.integers(-9, 9) | st.text() | st.binary(), min_size=1))
def test_fields_that_a_later_version_appends_are_ignored(message: Message, further: list[Any]) -> None:
    ours = msgspec.structs.astuple(message)
    assert decode_body(message.TYPE, pack([*ours, *further])) == message


def test_type_bytes_are_as_documented() -> None:
    assert {number: kind.__name__ for number, kind in KINDS} == {
        0x01: "Login", 0x02: "LoggedIn", 0x03: "Ping", 0x04: "Pong",
        0x10: "Send", 0x11: "Sent", 0x12: "SendPackage", 0x13: "PackageSent",
        0x20: "Push", 0x21: "Pushed", 0x22: "Pull", 0x23: "Pulled",
        0x30: "Read", 0x31: "ReadUpdate", 0x32: "Unread", 0x33: "UnreadCounts",
        0x34: "Contacts", 0x35: "ContactList", 0x36: "History", 0x37: "HistoryPage",
        0x40: "GoAway", 0x41: "Bye", 0x7F: "Error",
    }  # fmt: skip
    assert not FROM_CLIENT.keys() & FROM_SERVER.keys()


@given(st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_a_heartbeat_fits_sixteen_bytes_each_way(version: int, heartbeat_s: int) -> None:
    for message in (Ping(), Ping(heartbeat_s), Pong(version, heartbeat_s)):
        assert HEADER_BYTES + len(encode_body(message)) <= 16


@given(st.integers(0, 2**32 - 1), st.integers(256, MAX_HEARTBEAT_S))
def test_an_interval_over_255_seconds_costs_a_pong_one_byte_more(version: int, heartbeat_s: int) -> None:
    assert HEADER_BYTES + len(encode_body(Ping(heartbeat_s))) <= 16
    assert HEADER_BYTES + len(encode_body(Pong(version, heartbeat_s))) <= (16 if version < 65536 else 17)


def test_only_a_ping_has_an_empty_body() -> None:
    assert encode_body(Ping()) == b""
    assert decode_body(Ping.TYPE, b"") == Ping()
    for number, kind in KINDS:
        if kind is not Ping:
            with pytest.raises(RemoteProtocolError):
                decode_body(number, b"")


@given(st.integers(0, 255).filter(lambda number: number not in BY_TYPE), st.binary())
def test_an_unknown_type_is_malformed(number: int, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="unknown frame type") as caught:
        decode_body(number, body)
    assert caught.value.code is ErrorCode.MALFORMED


def wrong_values(kind: inspect.Type) -> list[Any]:
    """Values of the wrong type or out of range for one field."""
    match kind:
        case inspect.IntType():
            return [-1, 2**63, 2**64 - 1, (kind.le or 0) + 1, 1.0, True, "1", None, []]
        case inspect.StrType():
            long = ["x" * (kind.max_length + 1)] if kind.max_length else []
            return [1, b"x", None, [], *([""] if kind.min_length else []), *long]
        case inspect.BytesType():
            return ["text", 1, None, []]
        case inspect.BoolType():
            return [0, 1, None, "true"]
        case inspect.ListType():
            item_wrong = [[wrong] for wrong in wrong_values(kind.item_type)]
            many = [["x"] * (kind.max_length + 1)] if kind.max_length else []
            return [None, 1, "x", {}, *([[]] if kind.min_length else []), *many, *item_wrong]
        case inspect.UnionType():
            inner = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
            return [wrong for wrong in wrong_values(inner[0]) if wrong is not None]
        case inspect.StructType():
            return [None, 1, {}, [], *([pos] for pos in wrong_values(kind.fields[0].type))]
    raise AssertionError(f"no wrong values for {kind}")


def right_value(kind: inspect.Type) -> Any:
    match kind:
        case inspect.IntType():
            return 1
        case inspect.StrType():
            return "x"
        case inspect.BytesType():
            return b"x"
        case inspect.BoolType():
            return True
        case inspect.ListType():
            return [right_value(kind.item_type)]
        case inspect.UnionType():
            return right_value(kind.types[0])
        case inspect.StructType():
            return [right_value(field.type) for field in kind.fields]
    raise AssertionError(f"no right value for {kind}")


def fields_of(kind: type[Message]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return info.fields


@pytest.mark.parametrize(
    ("number", "position", "wrong"),
    [
        pytest.param(number, position, wrong, id=f"{kind.__name__}.{field.name}={str(wrong)[:20]!r}")
        for number, kind in KINDS
        for position, field in enumerate(fields_of(kind))
        for wrong in wrong_values(field.type)
    ],
)
def test_a_wrong_value_in_any_field_is_malformed(number: int, position: int, wrong: Any) -> None:
    body = [right_value(field.type) for field in fields_of(BY_TYPE[number])]
    decode_body(number, pack(body))
    body[position] = wrong
    with pytest.raises(RemoteProtocolError) as caught:
        decode_body(number, pack(body))
    assert caught.value.code is ErrorCode.MALFORMED


@pytest.mark.parametrize(("number", "kind"), KINDS)
def test_a_missing_field_is_malformed_unless_it_has_a_default(number: int, kind: type[Message]) -> None:
    fields = fields_of(kind)
    body = [right_value(field.type) for field in fields]
    for count in range(len(fields)):
        if fields[count].required:
            with pytest.raises(RemoteProtocolError):
                decode_body(number, pack(body[:count]))
        else:
            assert isinstance(decode_body(number, pack(body[:count])), kind)


NOT_A_BODY = {
    "no array": pack({"conversation": "a", "sequence": 1}),
    "a bare number": pack(1),
    "two arrays": pack(["a", 1]) * 2,
    "a cut-off array": pack(["a", 1])[:-1],
    "invalid UTF-8": b"\x92\xa2\xff\xfe\x01",
    "a surrogate": b"\x92\xa3\xed\xa0\x80\x01",
    "the byte that MessagePack never uses": b"\x92\xa1a\xc1",
    "a string of 4 GiB announced": b"\x92\xdb\xff\xff\xff\xff",
    "an array of 4 Gi items announced": b"\xdd\xff\xff\xff\xff",
    "4 Gi items announced in a field to be ignored": b"\x93\xa1a\x01\xdd\xff\xff\xff\xff",
    "arrays nested deep in a field to be ignored": b"\x93\xa1a\x01" + b"\x91" * 500_000,
    "maps nested deep in a field to be ignored": b"\x93\xa1a\x01" + b"\x81\x00" * 250_000,
}


@pytest.mark.parametrize("body", NOT_A_BODY.values(), ids=NOT_A_BODY.keys())
def test_what_is_no_body_is_malformed(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_body(0x30, body)
    assert caught.value.code is ErrorCode.MALFORMED


@given(st.sampled_from([number for number, _ in KINDS]), st.binary(max_size=200))
def test_random_bodies_raise_nothing_but_a_protocol_error(number: int, body: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        assert isinstance(decode_body(number, body), BY_TYPE[number])


@given(st.from_type(Message), st.data())
def test_a_damaged_body_raises_nothing_but_a_protocol_error(message: Message, data: st.DataObject) -> None:
    body = bytearray(encode_body(message) or b"\x90")
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RemoteProtocolError):
        assert isinstance(decode_body(message.TYPE, bytes(body)), type(message))


def test_messages_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Pushed(1).version = 2  # type: ignore[misc]
    assert Bye() == Bye()
