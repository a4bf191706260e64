"""The session as a table of what the server says and what is said to it, without a server."""

from base64 import b64decode

import pytest

from drivers import events
from drivers.contract import Ended, Identity, Outgoing, OutgoingPackage, Ponged, Received
from drivers.dialects.xmpp.session import XmppSession
from drivers.dialects.xmpp.target import Target
from drivers.endpoints import TargetError, parse_target
from drivers.events import CloseReason, Event
from protocol.errors import LocalProtocolError

_ANN = Identity("ann", "d0", "secret")
_TARGET = Target("a.test", "rooms.a.test")
_STREAM = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1'>"
_PLAIN = b"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
_PLAIN += b"</mechanisms></stream:features>"
_SUCCESS = b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
_MANAGED = b"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>"
_MANAGED += b"</stream:features>"
_BARE = b"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
_BOUND = b"<iq type='result' id='bind'/>"
_ENABLED = b"<enabled xmlns='urn:xmpp:sm:3' id='token' resume='true'/>"
_CARBONS = b"<iq type='result' id='carbons'/>"
_ARCHIVE_END = (
    b"<iq type='result' id='archive'><fin xmlns='urn:xmpp:mam:2' complete='true'>"
    b"<set xmlns='http://jabber.org/protocol/rsm'><last>%b</last></set></fin></iq>"
)
_HELLO = (
    b"<message from='bob@a.test/x' to='ann@a.test' type='chat' id='%b'><body>hello</body>"
    b"<stanza-id xmlns='urn:xmpp:sid:0' by='ann@a.test' id='%b'/></message>"
)


def _new(target: Target = _TARGET, identity: Identity = _ANN) -> XmppSession:
    session = XmppSession(target)
    session.login(identity, 0, 60)
    return session


def _says(session: XmppSession, *said: bytes) -> list[Event]:
    return [event for each in said for event in session.receive(each)]


def _in(features: bytes = _MANAGED, last: bytes = b"a1", target: Target = _TARGET) -> XmppSession:
    """A session that has come in."""
    session = _new(target)
    happened = _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + features, _BOUND)
    happened += _says(session, *([_ENABLED] if features is _MANAGED else []), _CARBONS, _ARCHIVE_END % last)
    assert [type(event) for event in happened] == [events.LoggedIn]
    session.take()
    return session


def _send(session: XmppSession, cid: str, to: str = "bob") -> None:
    session.submit(Outgoing(cid, to, "text", b"hi", 5), 1)


def test_a_login_asks_for_what_the_server_offers_and_is_over_when_all_was_answered() -> None:
    session = _new()
    assert session.take().startswith(b"<?xml")
    assert _says(session, _STREAM, _PLAIN) == []
    auth = session.take()
    assert b64decode(auth.split(b">")[1].split(b"<")[0]) == b"\0ann\0secret"
    _says(session, _SUCCESS)
    assert session.take().startswith(b"<?xml"), "a new stream"
    _says(session, _STREAM, _MANAGED)
    assert b"<resource>d0</resource>" in session.take()
    _says(session, _BOUND)
    asked = session.take()
    for part in (b"<enable xmlns='urn:xmpp:sm:3'", b"urn:xmpp:carbons:2", b"urn:xmpp:mam:2", b"<presence/>"):
        assert part in asked
    assert b"<prefs xmlns='urn:xmpp:mam:2' default='always'>" in asked
    assert asked.index(b"urn:xmpp:mam:2") < asked.index(b"<presence/>")
    assert _says(session, _ENABLED, _CARBONS) == []
    assert [type(event) for event in _says(session, _ARCHIVE_END % b"a1")] == [events.LoggedIn]


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        (
            b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
            401,
            "not authorized",
        ),
        (b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><account-disabled/></failure>", 403, "disabled"),
    ],
)
def test_a_wrong_password_is_refused_for_good(said: bytes, code: int, told: str) -> None:
    refused = _says(_new(), _STREAM + _PLAIN, said)[-1]
    assert isinstance(refused, events.Refused)
    assert (refused.code, told in refused.text) == (code, True)


def test_a_server_that_cannot_just_now_is_tried_again() -> None:
    said = b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><temporary-auth-failure/></failure>"
    ended = _says(_new(), _STREAM + _PLAIN, said)[-1]
    assert isinstance(ended, Ended)
    assert ended.reason is CloseReason.ERROR


def test_a_server_that_requires_tls_is_told_in_one_line_with_what_to_do() -> None:
    features = b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
    (refused,) = _says(_new(), _STREAM, features + b"</stream:features>")
    assert isinstance(refused, events.Refused)
    assert "xmpp+starttls://" in refused.text


def test_a_mechanism_that_is_not_acceptable_is_not_used() -> None:
    (refused,) = _says(_new(Target("a.test", "r", ("SCRAM-SHA-1",))), _STREAM, _PLAIN)
    assert isinstance(refused, events.Refused)
    assert "offers PLAIN, not SCRAM-SHA-1" in refused.text


def test_a_server_that_offers_nothing_in_the_clear_is_told_with_what_to_do() -> None:
    features = b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
    (refused,) = _says(_new(), _STREAM, features)
    assert isinstance(refused, events.Refused)
    assert "no mechanism" in refused.text
    assert "xmpp+starttls://" in refused.text


def test_a_send_is_acknowledged_by_the_count_that_covers_it() -> None:
    session = _in()
    _send(session, "c1")
    assert session.take().endswith(b"<r xmlns='urn:xmpp:sm:3'/>")
    # carbons, preferences, archive, presence and the message itself
    (acked,) = _says(session, b"<a xmlns='urn:xmpp:sm:3' h='5'/>")
    assert isinstance(acked, events.Acked)
    assert (acked.cid, acked.conversation, acked.sequence) == ("c1", "ann:bob", None)


def test_without_stream_management_a_question_after_the_send_is_answered() -> None:
    session = _in(_BARE)
    _send(session, "c1")
    assert b"id='fence c1'" in session.take()
    (acked,) = _says(session, b"<iq type='error' id='fence c1'/>")
    assert isinstance(acked, events.Acked)
    assert acked.cid == "c1"


def test_a_send_that_comes_back_is_rejected() -> None:
    session = _in()
    _send(session, "c1", "nobody")
    error = b"<message type='error' id='c1'><error><service-unavailable "
    error += b"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    (rejected,) = _says(session, error)
    assert isinstance(rejected, events.Rejected)
    assert (rejected.cid, rejected.code) == ("c1", 404)


def test_what_was_handled_is_told_when_asked_for() -> None:
    session = _in()
    _says(session, _HELLO % (b"1", b"a2"), b"<presence/>", b" ")
    _says(session, b"<r xmlns='urn:xmpp:sm:3'/>")
    assert session.take() == b"<a xmlns='urn:xmpp:sm:3' h='4'/>", "carbons, archive, message, presence"


@pytest.mark.parametrize(
    ("handled", "acked"), [(6, ["c1", "c2"]), (5, [])], ids=["all", "all but one, and nobody knows which"]
)
def test_a_lost_stream_is_resumed_and_answers_for_what_was_handled(handled: int, acked: list[str]) -> None:
    lost = _in()
    _send(lost, "c1")
    _send(lost, "c2", "eve")
    lost.take()
    session = XmppSession(_TARGET)
    remains = lost.remains()
    assert remains is not None
    session.resume(remains)
    session.login(_ANN, 0, 60)
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM)
    session.take()
    _says(session, _MANAGED)
    assert session.take() == b"<resume xmlns='urn:xmpp:sm:3' h='2' previd='token'/>"
    happened = _says(session, b"<resumed xmlns='urn:xmpp:sm:3' h='%d' previd='token'/>" % handled)
    assert [type(event) for event in happened] == [events.Acked] * len(acked) + [events.LoggedIn]
    assert [event.cid for event in happened if isinstance(event, events.Acked)] == acked
    assert b"<after>a1</after>" in session.take(), "and the archive is read from where it was"


def test_a_stream_that_has_swallowed_something_is_not_resumed_since_its_count_would_lie() -> None:
    lost = _in()
    _send(lost, "c1")
    _send(lost, "c2", "eve")
    lost.take()
    assert _says(lost, b"<a xmlns='urn:xmpp:sm:3' h='5'/>") == [], "one of six, and nobody knows which"
    session = XmppSession(_TARGET)
    session.resume(lost.remains())
    session.login(_ANN, 0, 60)
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM)
    session.take()
    assert _says(session, _MANAGED) == []
    assert b"<bind" in session.take()


def test_a_stream_that_cannot_be_resumed_is_bound_anew() -> None:
    lost = _in()
    session = XmppSession(_TARGET)
    session.resume(lost.remains())
    session.login(_ANN, 0, 60)
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _MANAGED)
    session.take()
    _says(session, b"<failed xmlns='urn:xmpp:sm:3'><item-not-found/></failed>")
    assert b"<bind" in session.take()
    _says(session, _BOUND)
    assert b"<after>a1</after>" in session.take()
    assert [type(each) for each in _says(session, _ENABLED, _CARBONS)] == [events.LoggedIn]


def test_after_a_farewell_there_is_nothing_to_resume() -> None:
    left = _in()
    left.bye()
    assert left.take() == b"</stream:stream>"
    session = XmppSession(_TARGET)
    session.resume(left.remains())
    session.login(_ANN, 0, 60)
    session.take()
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM)
    session.take()
    _says(session, _MANAGED)
    assert b"<bind" in session.take()


def test_what_came_by_itself_is_not_shown_again_from_the_archive() -> None:
    session = _in()
    (came,) = _says(session, _HELLO % (b"1", b"a2"))
    assert isinstance(came, Received)
    assert (came.entry.body, came.entry.sender, came.entry.conversation) == (b"hello", "bob", "ann:bob")
    again = XmppSession(_TARGET)
    again.resume(session.remains())
    again.login(_ANN, 0, 60)
    _says(again, _STREAM + _PLAIN, _SUCCESS, _STREAM + _BARE, _BOUND)
    assert [type(each) for each in _says(again, _CARBONS)] == [events.LoggedIn]
    result = (
        b"<message from='ann@a.test'><result xmlns='urn:xmpp:mam:2' queryid='archive' id='%b'>"
        b"<forwarded xmlns='urn:xmpp:forward:0'>"
        b"<message xmlns='jabber:client' from='bob@a.test/x' to='ann@a.test' type='chat' id='%b'>"
        b"<body>%b</body></message></forwarded></result></message>"
    )
    assert _says(again, result % (b"a2", b"1", b"hello")) == []
    (missed,) = _says(again, result % (b"a3", b"2", b"missed"))
    assert isinstance(missed, Received)
    assert (missed.entry.body, missed.via, missed.attempt) == (b"missed", "pull", 1)
    forged = (result % (b"a4", b"3", b"forged")).replace(b"from='ann@a.test'", b"from='eve@a.test'")
    assert _says(again, forged) == [], "only the user's own server has the user's archive"


def test_what_comes_while_the_archive_is_read_waits_for_what_was_said_before_it() -> None:
    session = XmppSession(_TARGET)
    session.resume(_in().remains())
    session.login(_ANN, 0, 60)
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _BARE, _BOUND, _CARBONS)
    assert _says(session, _HELLO % (b"2", b"a3"), _HELLO % (b"3", b"a4")) == []
    result = (
        b"<message><result xmlns='urn:xmpp:mam:2' queryid='archive' id='%b'>"
        b"<forwarded xmlns='urn:xmpp:forward:0'>"
        b"<message xmlns='jabber:client' from='bob@a.test/x' to='ann@a.test' type='chat' id='%b'>"
        b"<body>hello</body></message></forwarded></result></message>"
    )
    said = (result % (b"a2", b"1"), result % (b"a3", b"2"), _ARCHIVE_END % b"a3", _HELLO % (b"4", b"a5"))
    happened = [each for each in _says(session, *said) if isinstance(each, Received)]
    keys = [(each.key.rpartition("/")[2], each.via) for each in happened]
    assert keys == [("1", "pull"), ("2", ""), ("3", ""), ("4", "")]


def test_what_a_resumed_stream_replays_is_shown_at_once() -> None:
    session = XmppSession(_TARGET)
    session.resume(_in().remains())
    session.login(_ANN, 0, 60)
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _MANAGED)
    _says(session, b"<resumed xmlns='urn:xmpp:sm:3' h='3' previd='token'/>")
    assert [type(each) for each in _says(session, _HELLO % (b"2", b"a3"))] == [Received]


def test_what_was_swallowed_comes_from_the_archive_as_a_further_attempt() -> None:
    lost = _in()
    _says(lost, _HELLO % (b"3", b"a4"))
    session = XmppSession(_TARGET)
    session.resume(lost.remains())
    session.login(_ANN, 0, 60)
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _BARE, _BOUND, _CARBONS)
    result = (
        b"<message><result xmlns='urn:xmpp:mam:2' queryid='archive' id='a%b'>"
        b"<forwarded xmlns='urn:xmpp:forward:0'>"
        b"<message xmlns='jabber:client' from='bob@a.test/x' to='ann@a.test' type='chat' id='%b'>"
        b"<body>hello</body></message></forwarded></result></message>"
    )
    happened = _says(session, *(result % (n, n) for n in (b"3", b"4", b"5")))
    attempts = [each.attempt for each in happened if isinstance(each, Received)]
    assert attempts == [2, 1], "the one that stands before what came, and the one behind it"


def test_a_heartbeat_waits_until_the_archive_was_read() -> None:
    lost = _in()
    session = XmppSession(_TARGET)
    session.resume(lost.remains())
    session.login(_ANN, 0, 60)
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _MANAGED)
    _says(session, b"<resumed xmlns='urn:xmpp:sm:3' h='3' previd='token'/>")
    session.take()
    session.ping()
    assert session.take() == b""
    more = (_ARCHIVE_END % b"a9").replace(b" complete='true'", b"")
    _says(session, more)
    assert b"<after>a9</after>" in session.take(), "the next page"
    _says(session, _ARCHIVE_END % b"a10")
    assert b"urn:xmpp:ping" in session.take()
    assert _says(session, b"<iq type='result' id='beat'/>") == [Ponged(None, None)]


@pytest.mark.parametrize(
    ("sender", "shown"),
    [(b"ann@a.test", 1), (b"eve@a.test", 0), (b"ann@a.test.evil", 0), (b"ann@a.test/d1", 0)],
)
def test_copies_are_believed_of_the_own_account_only(sender: bytes, shown: int) -> None:
    copy = (
        b"<message from='%b'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        b"<message xmlns='jabber:client' from='ann@a.test/d1' to='bob@a.test' type='chat' id='7'>"
        b"<body>from my other device</body></message></forwarded></sent></message>" % sender
    )
    happened = _says(_in(), copy)
    assert [type(each) for each in happened] == [Received] * shown


def test_bytes_arrive_as_they_were_sent_and_text_is_readable_to_all() -> None:
    for body in (bytes(range(256)), b"", "grüße <&>'\" ]]>".encode(), b"a\r\nb", b"\x00"):
        sender, reader = _in(), XmppSession(_TARGET)
        sender.submit(Outgoing("c'<1", "bob", "te'xt", body, 1234), 1)
        stanza = sender.take().split(b"<r ")[0].replace(b"<message ", b"<message from='ann@a.test/d0' ")
        reader.login(Identity("bob", "d0", "x"), 0, 60)
        _says(reader, _STREAM + _PLAIN, _SUCCESS, _STREAM + _BARE, _BOUND, _CARBONS, _ARCHIVE_END % b"")
        (received,) = _says(reader, stanza)
        assert isinstance(received, Received)
        entry = received.entry
        assert (entry.body, entry.kind, entry.sender, entry.at_ms) == (body, "te'xt", "ann", 1234)


def test_questions_of_the_server_are_answered() -> None:
    session = _in()
    _says(session, b"<iq type='get' id='1' from='a.test'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert session.take() == b"<iq id='1' to='a.test' type='result'/>"
    _says(session, b"<iq type='get' id='2' from='a.test'><query xmlns='jabber:iq:version'/></iq>")
    assert b"service-unavailable" in session.take()


def test_a_receipt_is_given_where_one_is_asked_for() -> None:
    session = _in()
    asking = (_HELLO % (b"9", b"a2")).replace(b"<body>", b"<request xmlns='urn:xmpp:receipts'/><body>")
    _says(session, asking)
    assert b"<received xmlns='urn:xmpp:receipts' id='9'/>" in session.take()


def test_a_receipt_answers_for_a_send() -> None:
    session = _in(target=Target("a.test", "r", receipts=True))
    _send(session, "c1")
    assert b"<request xmlns='urn:xmpp:receipts'/>" in session.take()
    receipt = b"<message from='bob@a.test/x'><received xmlns='urn:xmpp:receipts' id='c1'/></message>"
    (acked,) = _says(session, receipt)
    assert isinstance(acked, events.Acked)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"</stream:stream>", CloseReason.EOF),
        (b"<message></iq>", CloseReason.PROTOCOL_ERROR),
        (b"<!DOCTYPE x>", CloseReason.PROTOCOL_ERROR),
        (b"<a xmlns='urn:xmpp:sm:3' h='99'/>", CloseReason.PROTOCOL_ERROR),
        (
            b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            CloseReason.REPLACED,
        ),
        (
            b"<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            CloseReason.DRAINING,
        ),
        (
            b"<stream:error><reset-me xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            CloseReason.ERROR,
        ),
    ],
)
def test_how_streams_end(said: bytes, reason: CloseReason) -> None:
    session = _in()
    happened = _says(session, said)
    assert isinstance(happened[-1], Ended)
    assert happened[-1].reason is reason
    assert _says(session, _HELLO % (b"1", b"a2")) == [], "and nothing more is heard"


def test_a_room_is_entered_opened_and_then_the_device_is_in() -> None:
    session = _new(identity=Identity("ann", "d0", "secret", ("g:ann",)))
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _BARE, _BOUND)
    assert b"to='g\\3aann@rooms.a.test/ann/d0'" in session.take()
    locked = b"<presence type='error' from='g\\3aann@rooms.a.test/ann/d0'><error><item-not-found "
    locked += b"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    assert _says(session, _CARBONS, _ARCHIVE_END % b"", locked) == []
    assert b"<presence to='g\\3aann@rooms.a.test/ann/d0'>" in session.take(), "who makes it is not done yet"
    entered = b"<presence from='g\\3aann@rooms.a.test/ann/d0'><x xmlns='http://jabber.org/protocol/muc#user'>"
    entered += b"<status code='110'/><status code='201'/></x></presence>"
    assert _says(session, entered) == []
    assert b"muc#owner" in session.take()
    assert _says(session, b"<iq type='result' id='open g\\3aann@rooms.a.test'/>") == []
    end = (_ARCHIVE_END % b"r1").replace(b"id='archive'", b"id='archive g\\3aann@rooms.a.test'")
    assert [type(each) for each in _says(session, end)] == [events.LoggedIn]
    said = b"<message type='groupchat' from='g\\3aann@rooms.a.test/bob/d1' id='5'><body>hi</body></message>"
    (received,) = _says(session, said)
    assert isinstance(received, Received)
    assert (received.entry.conversation, received.entry.sender) == ("g:ann", "bob")


_NO = b"<error><%b xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"


def _lacks(happened: list[Event]) -> dict[str, str]:
    (logged_in,) = happened
    assert isinstance(logged_in, events.LoggedIn)
    return dict(logged_in.lacks)


def test_what_a_server_turns_down_it_is_said_to_lack_and_the_device_is_in_without_it() -> None:
    no = _NO % b"service-unavailable"
    refused = [b"<iq type='error' id='%b'>%b</iq>" % (name, no) for name in (b"carbons", b"archive")]
    session = _new()
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _BARE, _BOUND)
    assert set(_lacks(_says(session, *refused))) == {"own_devices", "catch_up", "redelivery", "resumption"}
    session = _new()
    _says(session, _STREAM + _PLAIN, _SUCCESS, _STREAM + _MANAGED, _BOUND, _ENABLED)
    lacks = _lacks(_says(session, *refused))
    assert set(lacks) == {"own_devices", "catch_up"}, "counts are enough to send again"
    assert "XEP-0280" in lacks["own_devices"]
    assert not _lacks(_says(_new(), *_ALL_OF_IT))


_ALL_OF_IT = (_STREAM + _PLAIN, _SUCCESS, _STREAM + _MANAGED, _BOUND, _ENABLED, _CARBONS, _ARCHIVE_END % b"")


def test_where_no_room_can_be_had_the_device_is_in_without() -> None:
    session = _new(identity=Identity("ann", "d0", "secret", ("g:ann",)))
    assert _says(session, *_ALL_OF_IT) == []
    error = _NO % b"remote-server-not-found"
    turned = b"<presence type='error' from='g\\3aann@rooms.a.test/ann/d0'>%b</presence>" % error
    lacks = _lacks(_says(session, turned))
    assert set(lacks) == {"groups"}
    assert "remote-server-not-found; ?rooms=DOMAIN" in lacks["groups"]


@pytest.mark.parametrize(
    ("services", "is_in"), [(b"conference.a.test", False), (b"muc.a.test", True)], ids=["there", "elsewhere"]
)
def test_rooms_at_a_guess_are_not_waited_for_where_the_server_does_not_name_them(
    services: bytes, is_in: bool
) -> None:
    session = _new(
        Target("a.test", "conference.a.test", is_guess=True), Identity("ann", "d0", "x", ("g:ann",))
    )
    assert _says(session, *_ALL_OF_IT) == []
    assert b"disco#items" in session.take()
    named = b"<iq type='result' id='services'><query xmlns='http://jabber.org/protocol/disco#items'>"
    happened = _says(session, named + b"<item jid='%b'/></query></iq>" % services)
    assert bool(happened) is is_in
    if is_in:
        assert "?rooms=DOMAIN says which (muc.a.test?)" in _lacks(happened)["groups"]


def test_an_own_message_that_a_room_reflects_answers_for_itself() -> None:
    session = _in()
    _send(session, "c1", "g:ann")
    said = b"<message type='groupchat' from='g\\3aann@rooms.a.test/ann/d0' id='c1'><body>hi</body></message>"
    (acked,) = _says(session, said)
    assert isinstance(acked, events.Acked)
    assert acked.conversation == "g:ann"


def test_what_xmpp_has_no_words_for_is_refused_here() -> None:
    with pytest.raises(LocalProtocolError):
        _in().submit(OutgoingPackage("c", "bob", ()), 1)
    with pytest.raises(LocalProtocolError, match="before the login"):
        _send(_new(), "c1")


def test_inside_a_websocket_every_stanza_stands_alone() -> None:
    session = parse_target("xmpp+ws://a.test@127.0.0.1:1").dialect.new_session()
    session.login(_ANN, 0, 60)
    assert session.take() == b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.test' version='1.0'/>"
    session.receive(b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='a.test' id='1' version='1.0'/>")
    features = _PLAIN.replace(
        b"<stream:features>", b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    session.receive(features)
    assert session.take().startswith(b"<auth ")
    session.receive(_SUCCESS)
    assert session.take().startswith(b"<open ")
    session.receive(_BARE.replace(b"<stream:features>", features[: features.index(b">") + 1]))
    assert session.take().startswith(b"<iq xmlns='jabber:client' type='set'")
    ended = session.receive(
        b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.test/xmpp'/>"
    )[-1]
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.endpoints) == (CloseReason.DRAINING, ("wss://b.test/xmpp",))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("xmpp://a:b@127.0.0.1", "no domain"),
        ("xmpp://a.test@127.0.0.1?sasl=NTLM", "sasl"),
        ("xmpp://a.test@127.0.0.1?beat=often", "beat"),
        ("xmpp://a.test@127.0.0.1?archive=perhaps", "archive"),
        ("xmpp://a.test@127.0.0.1?what=1", "means nothing"),
    ],
)
def test_urls_that_cannot_be_meant(url: str, told: str) -> None:
    with pytest.raises(TargetError, match=told):
        parse_target(url)


def test_what_a_url_says() -> None:
    endpoint = parse_target("xmpps://a.test@127.0.0.1?name=a.test")
    assert (endpoint.port, endpoint.carrier.name, endpoint.dialect.name) == (5223, "tls", "xmpp")
    assert parse_target("xmpp://127.0.0.1").port == 5222
