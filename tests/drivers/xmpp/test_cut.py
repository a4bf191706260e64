"""The cutter: whole stanzas whatever the chunks, and nothing that XMPP forbids gets as far as a parser."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dialects.xmpp import elements
from drivers.dialects.xmpp.cut import MAX_DEPTH, MAX_STANZA_BYTES, MAX_TAG_BYTES, Cutter, Kind, Piece, split
from protocol.errors import RemoteProtocolError

_HEADER = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='s' id='a>b'>"
_OPEN = _HEADER.partition(b"?>")[2]
_STANZAS = [
    b"<r xmlns='urn:xmpp:sm:3'/>",
    b"<iq type='result' id='1'></iq>",
    b'<message to="a\'>"><body>x &lt; y</body><x><x/></x></message>',
    b"<message><body><![CDATA[</message><r/> ]] ]>]]></body></message>",
    "<message><body>grüße 🙂</body></message>".encode(),
    b"<presence\n  to = 'a/b'\t/>",
]


def _pieces(chunks: list[bytes], *, in_stream: bool = False) -> tuple[list[Piece], Cutter]:
    cutter = Cutter(in_stream=in_stream)
    pieces: list[Piece] = []
    for chunk in chunks:
        cutter.feed(chunk)
        while (piece := cutter.next_piece()) is not None:
            pieces.append(piece)
    return pieces, cutter


@given(
    st.lists(st.sampled_from(_STANZAS), max_size=8),
    st.lists(st.sampled_from([b"", b" ", b"\n\t"]), min_size=8, max_size=8),
    st.lists(st.integers(0, 700), max_size=20),
)
def test_stanzas_are_the_same_wherever_the_stream_is_split(
    stanzas: list[bytes], blanks: list[bytes], cuts: list[int]
) -> None:
    stream = _HEADER + b"".join(blank + each for blank, each in zip(blanks, stanzas, strict=False))
    stream += b"</stream:stream>"
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces, cutter = _pieces([stream[a:b] for a, b in pairwise(edges)])
    expected = [(Kind.OPEN, _OPEN), *((Kind.ELEMENT, each) for each in stanzas)]
    assert pieces == [*expected, (Kind.CLOSE, b"</stream:stream>")]
    assert cutter.is_empty, "between stanzas nothing is held"


def test_a_byte_at_a_time_is_as_good() -> None:
    stream = _HEADER + b"".join(_STANZAS)
    pieces, _ = _pieces([stream[at : at + 1] for at in range(len(stream))])
    assert [piece for _, piece in pieces] == [_OPEN, *_STANZAS]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>", "document type"),
        (b"<message><!-- x --></message>", "comment"),
        (b"<message><?php x ?></message>", "processing instruction"),
        (b"<?xml version='1.0'?>", "processing instruction"),
        (b"<![CDATA[x]]>", "comment"),
        (b"hello", "text between"),
        (b"<r/>hello<r/>", "text between"),
        (b"<message <body>", "within a tag"),
        (b"<a x='" + b"x" * MAX_TAG_BYTES, "a tag of more than"),
        (b"<a>" * (MAX_DEPTH + 1), "deep"),
        (b"<a>" + b"x" * MAX_STANZA_BYTES, "a stanza of more than"),
        (b"<a>" + b"x" * MAX_STANZA_BYTES + b"</a>", "a stanza of more than"),
    ],
)
def test_what_is_forbidden_or_too_much_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(RemoteProtocolError, match=told):
        _pieces([data], in_stream=True)


def test_a_stream_begins_with_a_start_tag() -> None:
    for data in (b"<r/>", b"</a>", b"<?php ?>"):
        with pytest.raises(RemoteProtocolError):
            _pieces([data])


def test_what_is_said_at_once_is_split_into_messages_of_their_own() -> None:
    assert split(b"".join(_STANZAS)) == _STANZAS


@pytest.mark.parametrize(
    "piece",
    [b"<a></b>", b"<a b='1' b='2'/>", b"<a>&c;</a>", b"<x:a/>", b"<a>\xff</a>", b"<a b=c/>", b"<a>\0</a>"],
)
def test_what_is_no_xml_is_refused_by_its_parser(piece: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="not well-formed"):
        elements.parsed(piece, elements.ALONE)


def test_namespaces_of_the_header_hold_for_every_stanza() -> None:
    around = elements.opened(b"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>")
    assert elements.parsed(b"<iq/>", around).tag == "{jabber:client}iq"
    assert elements.parsed(b"<s:error/>", around).tag == "{http://etherx.jabber.org/streams}error"
    with pytest.raises(RemoteProtocolError, match="begins with"):
        elements.opened(b"<stream xmlns='jabber:client'>")


def test_a_hundred_thousand_damaged_streams_end_in_pieces_or_in_a_refusal() -> None:
    dice = random.Random(6120)
    marks = [b"<", b">", b"/", b"'", b'"', b"&", b"<!", b"<?", b"]]>", b"<![CDATA[", b"\0", b"\xff", b"</a>"]
    seen = {"pieces": 0, "refused": 0}
    for _ in range(100_000):
        damaged = bytearray(dice.choice(_STANZAS))
        for _ in range(dice.randrange(3)):
            at = dice.randrange(len(damaged))
            damaged[at : at + dice.randrange(3)] = dice.choice(marks)
        try:
            for _, piece in _pieces([bytes(damaged)], in_stream=True)[0]:
                if seen["pieces"] % 8 == 0 and piece[:2] != b"</":
                    elements.parsed(piece, elements.ALONE)
                seen["pieces"] += 1
        except RemoteProtocolError:
            seen["refused"] += 1
    assert min(seen.values()) > 10_000
