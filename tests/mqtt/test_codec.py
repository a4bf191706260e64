"""MQTT packets: what is written is read again, whatever is damaged ends in words, and paho says the same."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dialects.mqtt import fields, packets
from drivers.dialects.mqtt.packets import (
    Answer,
    ConnAck,
    Connect,
    Disconnect,
    Kind,
    Packet,
    PingReq,
    PingResp,
    Publish,
    SubAck,
    Subscribe,
    decode,
    encode,
    split,
)
from protocol.errors import LocalProtocolError, RemoteProtocolError

LEVELS = list(packets.VERSIONS.values())

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
names = texts.filter(bool)
topics = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(1, 65_535)
codes = st.integers(0, 255)
values: dict[int, st.SearchStrategy[Any]] = {
    fields.EXPIRY: st.integers(0, 2**32 - 1),
    fields.SERVER_KEEP_ALIVE: st.integers(0, 65_535),
    fields.REASON: texts,
    0x16: st.binary(max_size=40),
    fields.MAXIMUM_QOS: st.integers(0, 1),
    fields.SUBSCRIPTION: st.lists(st.integers(0, fields.MOST_VARIABLE), min_size=1, max_size=3).map(tuple),
    fields.USER: st.lists(st.tuples(texts, texts), min_size=1, max_size=3).map(tuple),
}
properties = st.fixed_dictionaries({}, optional=values)


def packets_of(level: int) -> st.SearchStrategy[Packet]:
    extra = properties if level == packets.V5 else st.just({})
    code = codes if level == packets.V5 else st.just(0)
    levels = st.sampled_from([1, 2])
    answer = st.sampled_from([Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP])
    return st.one_of(
        st.builds(
            Connect, names, names, st.binary(min_size=1, max_size=20), st.integers(0, 65_535),
            st.booleans(), extra,
        ),
        st.builds(ConnAck, st.booleans(), codes, extra),
        st.builds(Publish, topics, st.binary(), levels, numbers, st.booleans(), st.booleans(), extra),
        st.builds(Publish, topics, st.binary(), st.just(0), st.none(), st.just(False), st.booleans(), extra),
        st.builds(Answer, answer, numbers, code, extra),
        st.builds(
            Subscribe, numbers, st.lists(st.tuples(texts, codes), min_size=1, max_size=4).map(tuple), extra
        ),
        st.builds(SubAck, numbers, st.lists(codes, max_size=4).map(tuple), extra),
        st.builds(PingReq), st.builds(PingResp),
        st.builds(Disconnect, code, extra),
    )  # fmt: skip


def read(data: bytes, level: int) -> Packet:
    place = split(data, 0)
    assert place is not None
    assert place[1] == len(data)
    return decode(data[0], data[place[0] :], level)


@pytest.mark.parametrize("level", LEVELS)
@given(st.data())
def test_what_is_written_is_read_again(level: int, data: st.DataObject) -> None:
    packet = data.draw(packets_of(level))
    assert read(encode(packet, level), level) == packet


@pytest.mark.parametrize("level", LEVELS)
@given(st.data())
def test_a_damaged_packet_is_refused_in_words_or_is_another(level: int, data: st.DataObject) -> None:
    whole = bytearray(encode(data.draw(packets_of(level)), level))
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), codes), max_size=3)):
        whole[place] = value
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    with contextlib.suppress(RemoteProtocolError):  # any other error fails the test
        place = split(cut, 0)
        if place is not None:
            decode(cut[0], cut[place[0] : place[1]], level)


@given(st.integers(0, fields.MOST_VARIABLE))
def test_a_length_is_written_as_short_as_it_can_be(number: int) -> None:
    written = fields.variable(number)
    assert fields.Reader(written).variable() == number
    assert len(written) == next(size for size in range(1, 5) if number < 128**size)


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (b"\x36\x05\x00\x01t\x00\x01", 4),  # QoS 3
        (b"\x32\x05\x00\x01t\x00\x00", 4),  # identifier 0
        (b"\x32\x05\x00\x01#\x00\x01", 4),  # published to a wildcard
        (b"\x30\x04\x00\x02\xff\xfe", 4),  # no UTF-8
        (b"\x30\x03\x00\x01\x00", 4),  # a NUL
        (b"\x20\x02\x02\x00", 4),  # reserved flags
        (b"\x41\x02\x00\x01", 4),  # reserved flags of a type
        (b"\x40\x03\x00\x01\x00", 4),  # a code that 3.1.1 does not have
        (b"\x00\x00", 4),  # type 0
        (b"\x20\x04\x00\x00\x01\x7f", 5),  # a property that there is not
        (b"\x20\x09\x00\x00\x06\x21\x00\x01\x21\x00\x01", 5),  # twice
        (b"\x20\x05\x00\x00\x81\x00\x00", 5),  # a length longer than it has to be
    ],
)
def test_what_no_version_allows_is_refused(data: bytes, level: int) -> None:
    with pytest.raises(RemoteProtocolError):
        read(data, level)


@pytest.mark.parametrize("head", [b"\x30\xff\xff\xff\xff", b"\x30\x81\x80\x80\x02\x00"])
def test_a_length_that_cannot_be_or_is_too_large_is_refused_at_once(head: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        split(head, 0)


def test_what_no_packet_can_hold_is_refused_here() -> None:
    with pytest.raises(LocalProtocolError):
        encode(Publish("t" * 65_536, b"", 1, 1), 4)
    with pytest.raises(LocalProtocolError):
        encode(Publish("\0", b"", 1, 1), 4)
