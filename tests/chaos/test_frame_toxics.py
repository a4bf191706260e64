"""Toxics that know messages, on every protocol that is framed: whole messages, whatever the chunks."""

import itertools
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.framers import NotFramed, by_first_byte, framers
from chaos.framing import Follower
from chaos.pipeline import Pipeline
from chaos.stage import End, Item, Place
from chaos.toxics import toxic_types
from protocol.frames import encode
from protocol.messages import Login, Ping, Pong, Push, Send


@dataclass(frozen=True)
class Stream:
    """What stands before the first message, and the messages."""

    prelude: bytes
    messages: list[bytes]

    @property
    def data(self) -> bytes:
        return self.prelude + b"".join(self.messages)


def _chat(numbers: list[int]) -> Stream:
    # Frames within bodies are what a guess at boundaries would fall for.
    inner = encode(Ping(30)) * 2
    kinds = [
        lambda n: encode(Pong(n, 30)),
        lambda n: encode(Push(n + 1, 1, "a:b", 1, "a", "text", inner * (n % 40), 5)),
        lambda n: encode(Ping()),
    ]
    return Stream(b"", [encode(Login("token", "d")), *(kinds[n % 3](n) for n in numbers)])


def _mqtt(numbers: list[int]) -> Stream:
    def packet(first: int, rest: bytes) -> bytes:
        size, length = len(rest), bytearray()
        while size > 127:
            length.append(size & 0x7F | 0x80)
            size >>= 7
        length.append(size)
        return bytes([first]) + bytes(length) + rest

    made = [packet(0x10, b"\0\4MQTT\4\2\0\x3c\0\0")]
    for n in numbers:
        publish = packet(0x32, b"\0\1t" + struct.pack(">H", n) + b"\x30\x00\x10" * n)
        made.append([publish, packet(0x40, struct.pack(">H", n)), b"\xc0\x00"][n % 3])
    return Stream(b"", made)


def _ws_frame(first: int, payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    short = size if size < 126 else 126 if size < 65536 else 127
    extended = b"" if short == size else size.to_bytes(2 if short == 126 else 8, "big")
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload)) if key else payload
    return bytes([first, short | (0x80 if key else 0)]) + extended + key + masked


def _ws(numbers: list[int], key: bytes, prelude: bytes) -> Stream:
    made = []
    for n in numbers:
        part = encode(Pong(n, 30)) + bytes(n)
        pieces = _ws_frame(0x02, part[:3], key) + _ws_frame(0x89, b"in between", key)
        pieces += _ws_frame(0x00, part[3:5], key) + _ws_frame(0x80, part[5:], key)
        plain = _ws_frame(0x82, encode(Push(n + 1, 1, "a:b", 1, "a", "text", bytes(n * 9), 5)), key)
        made.append([plain, pieces, _ws_frame(0x89, b"?", key), _ws_frame(0x81, b"x" * n, key)][n % 4])
    return Stream(prelude, made)


def _websocket_up(numbers: list[int]) -> Stream:
    head = b"GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    return _ws(numbers, b"\x81\x02\xc7\x00", head)


def _websocket_down(numbers: list[int]) -> Stream:
    head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\r\n"
    return _ws(numbers, b"", head)


def _xmpp(numbers: list[int]) -> Stream:
    made = [b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='s' to='a'>"]
    for n in numbers:
        body = b"<![CDATA[</message><r/>]]>&lt;" * (n % 3) + b"x" * n
        stanza = b"<message to='u%d/<>' a=\"'\"><body>%b</body><x><message/></x></message>" % (n, body)
        stanza = stanza.replace(b"<>", b">")
        made.append([stanza, b"<r xmlns='urn:xmpp:sm:3'/>", b"\n", b"<iq id='%d'></iq>" % n][n % 4])
    return Stream(b"", [*made, b"</stream:stream>"])


_STREAMS: list[Callable[[list[int]], Stream]] = [_chat, _mqtt, _xmpp, _websocket_up, _websocket_down]
_streams = st.builds(
    lambda make, numbers: make(numbers),
    st.sampled_from(_STREAMS),
    st.lists(st.integers(0, 300), max_size=12),
)
_cuts = st.lists(st.integers(0, 5000), max_size=12)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places) if a < b]


def _pipeline(name: str, *, follower: Follower | None = None, key: str = "k", **attributes: Any) -> Pipeline:
    type_ = toxic_types()[name]
    place = Place(5, key, follower or Follower(), _counts)
    _counts.clear()
    pipeline = Pipeline()
    pipeline.append("k", type_.stage(type_.attributes(**attributes), place, 0.0))
    return pipeline


_counts: Counter[str] = Counter()


def _bytes(items: list[Item]) -> bytes:
    return b"".join(item for item in items if not isinstance(item, End))


def _through(pipeline: Pipeline, data: bytes, cuts: list[int]) -> bytes:
    """All that comes out until the end, no time passing."""
    out: list[Item] = []
    for chunk in _cut(data, cuts):
        out += pipeline.feed(chunk, 0)
    out += pipeline.end(End.EOF, 0)
    while (due := pipeline.wake_at) is not None:
        out += pipeline.tick(due)
    assert out[-1] is End.EOF
    return _bytes(out)


@given(_streams, _cuts)
def test_of_everything_lost_the_prelude_is_left(stream: Stream, cuts: list[int]) -> None:
    assert _through(_pipeline("frame_loss", probability=1.0), stream.data, cuts) == stream.prelude
    assert _counts == Counter(frames=len(stream.messages), dropped=len(stream.messages))


@given(_streams, _cuts, st.integers(0, 5))
def test_only_the_first_are_dropped(stream: Stream, cuts: list[int], count: int) -> None:
    out = _through(_pipeline("drop_first", count=count), stream.data, cuts)
    assert out == stream.prelude + b"".join(stream.messages[count:])


@given(_streams, _cuts)
def test_every_message_comes_twice_in_a_row(stream: Stream, cuts: list[int]) -> None:
    out = _through(_pipeline("frame_duplicate", probability=1.0), stream.data, cuts)
    assert out == stream.prelude + b"".join(message * 2 for message in stream.messages)
    assert _counts["duplicated"] == len(stream.messages)


@pytest.mark.parametrize("make", _STREAMS)
@given(numbers=st.lists(st.integers(0, 300), max_size=30, unique=True), cuts=_cuts, window=st.integers(1, 6))
def test_a_message_is_overtaken_by_no_more_than_the_window(
    make: Callable[[list[int]], Stream], numbers: list[int], cuts: list[int], window: int
) -> None:
    stream = make(numbers)
    stream = Stream(stream.prelude, list(dict.fromkeys(stream.messages)))
    messages = {message: place for place, message in enumerate(stream.messages)}
    out = _through(
        _pipeline("frame_reorder", probability=0.5, window=window, types="push,publish"), stream.data, cuts
    )
    assert out.startswith(stream.prelude)
    order = _order(out[len(stream.prelude) :], messages)
    assert sorted(order) == sorted(messages[message] for message in stream.messages)
    for at, place in enumerate(order):
        assert sum(earlier > place for earlier in order[:at]) <= window


def _order(data: bytes, messages: dict[bytes, int]) -> list[int]:
    """Which message after which."""
    order = []
    while data:
        message = next(each for each in messages if data.startswith(each))
        order.append(messages[message])
        data = data[len(message) :]
    return order


def test_where_nothing_comes_after_it_a_message_that_waits_leaves_in_time() -> None:
    pipeline = _pipeline("frame_reorder", probability=1.0, window=9, hold=150)
    message = encode(Pong(1, 30))
    assert pipeline.feed(message, 1.0) == []
    assert pipeline.wake_at == pytest.approx(1.15)
    assert pipeline.tick(1.2) == [message]
    assert pipeline.wake_at is None


def test_messages_really_change_places() -> None:
    stream = _chat([0, 3, 6, 9, 12, 15, 18, 21] * 20)
    out = _through(_pipeline("frame_reorder", probability=0.5), stream.data, [])
    assert out != stream.data
    assert _counts["overtaken"] > 20


@given(_streams, _cuts)
def test_a_spoilt_message_is_as_long_and_begins_otherwise(stream: Stream, cuts: list[int]) -> None:
    out = _through(_pipeline("frame_corrupt", probability=1.0), stream.data, cuts)
    assert len(out) == len(stream.data)
    at = len(stream.prelude)
    for message in stream.messages:
        assert out[at] != message[0]
        assert out[at + 1 : at + len(message)] == message[1:]
        at += len(message)


@pytest.mark.parametrize("name", ["chat", "mqtt", "xmpp"])
def test_what_is_spoilt_is_no_message_for_its_framer(name: str) -> None:
    framer = framers()[name]
    message = {"chat": _chat, "mqtt": _mqtt, "xmpp": _xmpp}[name]([1]).messages[1]
    for draw in range(8):
        with pytest.raises(NotFramed):
            framer.length(framer.spoil(message, draw / 8), 0)


@given(_streams, _cuts)
def test_damage_to_bodies_is_one_bit_each_and_framing_stays(stream: Stream, cuts: list[int]) -> None:
    out = _through(_pipeline("frame_corrupt", probability=1.0, part="body"), stream.data, cuts)
    assert len(out) == len(stream.data)
    at = len(stream.prelude)
    for message in stream.messages:
        framer = by_first_byte()[stream.data[0]]
        body, damaged = framer.body_at(message), out[at : at + len(message)]
        assert damaged[:body] == message[:body]
        bits = sum((a ^ b).bit_count() for a, b in zip(damaged, message, strict=True))
        assert bits == (1 if body < len(message) else 0)
        at += len(message)


def test_only_the_types_that_are_meant_are_late_and_the_rest_overtakes_them() -> None:
    pushes = [encode(Push(n + 1, n, "a:b", n, "a", "text", b"", 5)) for n in range(3)]
    pong = encode(Pong(9, 30))
    pipeline = _pipeline("frame_delay", delay=100, types="push, sent")
    assert _bytes(pipeline.feed(pushes[0] + pong + pushes[1], 1.0)) == pong
    assert pipeline.feed(pushes[2], 1.05) == []
    assert pipeline.end(End.EOF, 1.06) == [], "the end waits for what is late"
    assert pipeline.wake_at == pytest.approx(1.1)
    assert _bytes(pipeline.tick(1.12)) == pushes[0] + pushes[1]
    assert pipeline.tick(1.2) == [pushes[2], End.EOF]


def test_jitter_lets_late_messages_overtake_each_other() -> None:
    stream = _chat(list(range(40)))
    out = _through(_pipeline("frame_delay", delay=100, jitter=90), stream.data, [])
    assert Counter(out) == Counter(stream.data)
    assert out != stream.data


def test_removal_lets_everything_go_that_was_late_or_waiting() -> None:
    for name, attributes in (
        ("frame_delay", {"delay": 3_600_000}),
        ("frame_reorder", {"probability": 1.0, "window": 99, "hold": 3_600_000}),
    ):
        pipeline = _pipeline(name, **attributes)
        data = _chat([1, 2, 3]).data
        assert pipeline.feed(data[:-3], 0) == []
        assert _bytes(pipeline.remove("k", 0)) == data[:-3]


@given(_streams, _cuts, st.integers(0, 5000))
def test_added_in_mid_stream_it_begins_with_the_next_message(
    stream: Stream, cuts: list[int], add: int
) -> None:
    add %= len(stream.data) + 1
    follower = Follower()
    for chunk in _cut(stream.data[:add], cuts):
        follower.follow(chunk)
    pipeline = _pipeline("frame_loss", follower=follower, probability=1.0)
    out = stream.data[:add] + _through(pipeline, stream.data[add:], cuts)
    ends = itertools.accumulate(map(len, stream.messages), initial=len(stream.prelude))
    under_way = next(end for end in ends if end >= add)
    assert out == stream.data[:under_way], "the message under way is whole, the others are gone"
    assert not _counts["unframed"]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("frame_loss", {"probability": 0.5}),
        ("frame_duplicate", {"probability": 0.5}),
        ("frame_corrupt", {"probability": 0.5}),
        ("frame_reorder", {"probability": 0.5}),
        ("frame_delay", {"delay": 100, "jitter": 90}),
    ],
)
def test_the_same_seed_does_the_same_whatever_the_chunks_and_another_connection_has_its_own_luck(
    name: str, attributes: dict[str, Any]
) -> None:
    data = _chat([number * 3 for number in range(60)]).data
    first, again, bytewise, other = (
        _through(_pipeline(name, key=key, **attributes), data, cuts)
        for key, cuts in (("a/1", []), ("a/1", [70, 300]), ("a/1", list(range(len(data)))), ("a/2", []))
    )
    assert first == again == bytewise
    assert first != other
    seeded = _through(_pipeline(name, key="a/1", seed=3, **attributes), data, [])
    assert seeded not in (first, other)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + encode(Ping(30)) * 3,
        b"HTTP/1.1 200 OK\r\n\r\n" + encode(Ping(30)) * 3,
        b"HELO example\r\n" * 5,
        b"GET " + b"x" * 20_000,
        b"\x10\xff\xff\xff\xff\xff" + bytes(10),
        b"\x16\x03\x01" + bytes(20),
    ],
)
def test_what_is_framed_by_nobody_passes_untouched_and_is_counted(data: bytes) -> None:
    for cuts in ([], [1, 2, 3, 5, 9, 25]):
        assert _through(_pipeline("frame_loss", probability=1.0), data, cuts) == data
        assert _counts == {"unframed": 1}


def test_a_toxic_that_is_meant_for_another_protocol_does_nothing() -> None:
    data = _mqtt([1, 2, 3]).data
    assert _through(_pipeline("frame_loss", probability=1.0, protocol="chat"), data, [3]) == data
    assert _counts == {"unframed": 1}


def test_a_message_too_large_to_hold_makes_its_stream_pass_untouched() -> None:
    pipeline = _pipeline("frame_loss", probability=1.0)
    head = _websocket_down([]).prelude
    big = b"\x82\x7f" + (2**62).to_bytes(8, "big")
    out = _bytes(pipeline.feed(head + big, 0))
    for _ in range(17):
        out += _bytes(pipeline.feed(bytes(2**20), 0))
    assert out == head + big + bytes(17 * 2**20)


@pytest.mark.parametrize(
    ("message", "protocol", "kind"),
    [
        (encode(Send("c", "b", "text", b"", 0)), "chat", "send"),
        (b"\xc7\x66\0\0\0\0\0\0", "chat", "0x66"),
        (b"\x30\x03\0\1t", "mqtt", "publish"),
        (b"\xd0\0", "mqtt", "pingresp"),
        (b"<message to='a'><body/></message>", "xmpp", "message"),
        (b"<?xml version='1.0'?><stream:stream to='a'>", "xmpp", "stream"),
        (b"</stream:stream>", "xmpp", "end"),
        (b"\n", "xmpp", "blank"),
        (_ws_frame(0x81, b"<iq xmlns='jabber:client'/>", b"abcd"), "websocket", "iq"),
        (_ws_frame(0x82, encode(Send("c", "b", "text", b"", 0)), b"abcd"), "websocket", "send"),
        (_ws_frame(0x82, encode(Send("c", "b", "text", bytes(300), 0)), b""), "websocket", "send"),
        (_ws_frame(0x82, b"\x30\x03\0\1t", b"abcd"), "websocket", "binary"),
        (_ws_frame(0x82, b"\xc7", b"abcd"), "websocket", "binary"),
        (_ws_frame(0x81, b"text", b""), "websocket", "text"),
        (_ws_frame(0x88, b"", b"abcd"), "websocket", "close"),
    ],
)
def test_messages_have_the_names_of_their_protocol(message: bytes, protocol: str, kind: str) -> None:
    assert framers()[protocol].kind(message) == kind
