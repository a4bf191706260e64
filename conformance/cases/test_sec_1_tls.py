"""SEC.1: TLS 1.2 or newer for long connections and for short requests, with a certificate that verifies."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import gevent
import pytest
import trustme

from conformance.accounts import Block, User
from conformance.handshakes import (
    ALERT,
    TLS_1_2,
    Place,
    Secured,
    agreed_version,
    client_hello,
    places,
    said_to,
)
from conformance.phone import Phone, fresh_cid
from conformance.target import Target
from conformance.verdicts import Undecided, not_offered
from conformance.web import Poll, Web
from drivers.contract import Identity
from drivers.endpoints import Endpoint, parse_target
from drivers.events import Closed, CloseReason, LoggedIn
from drivers.policy import Policy
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Wire
from protocol import frames, messages
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Error, Login, Ping, Pong, Send, Sent

pytestmark = [pytest.mark.clause("SEC.1"), pytest.mark.once("every place that speaks TLS is looked at")]

_OLD = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1"}
_CURRENT = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture(scope="module")
def secure(target: Target) -> list[Place]:
    """Everywhere TLS is spoken."""
    return places(target)


def speaks(place: Place, version: ssl.TLSVersion) -> bool:
    context = place.context()
    context.minimum_version = context.maximum_version = version
    # It is the version that is asked about, not the certificate.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with Secured(place, context):
            return True
    except AssertionError:
        return False


def is_decided(said: bytes) -> bool:
    """True when an answer to a ClientHello can be told from others: it has begun with a ServerHello."""
    return agreed_version(said) is not None


def test_versions_before_1_2_are_refused(secure: list[Place]) -> None:
    """TLS 1.2 or newer on the long connection and on HTTP.

    Clients whose newest version is SSL 3.0, TLS 1.0 or TLS 1.1 say their first words, by hand, with the
    ciphers that such clients have. Expected: an alert or nothing, and the end; no ServerHello.
    """
    for place in secure:
        # Words that are refused for their grammar would show nothing: those of 1.2 differ in two bytes.
        control = agreed_version(said_to(place, client_hello(TLS_1_2, place.name), enough=is_decided))
        if control is None and speaks(place, ssl.TLSVersion.TLSv1_2):
            raise Undecided(f"{place}: TLS 1.2 is spoken, but not with the first words of this case")
        for version, name in _OLD.items():
            said = said_to(place, client_hello(version, place.name), enough=is_decided)
            agreed = agreed_version(said)
            assert agreed is None, f"{place}: expected {name} to be refused, agreed on {agreed:#06x}"
            assert said[:1] in (b"", bytes([ALERT])), f"{place}: expected an alert, got {said[:40]!r}"


def test_a_current_version_is_spoken(secure: list[Place]) -> None:
    """TLS 1.2 or newer: at least one of them.

    A client offers TLS 1.2 alone, and TLS 1.3 alone. Expected: a handshake with one of them at least.
    """
    for place in secure:
        spoken = [version.name for version in _CURRENT if speaks(place, version)]
        assert spoken, f"{place}: expected TLS 1.2 or 1.3, neither is spoken"


def test_the_certificate_verifies_and_is_for_the_name(secure: list[Place]) -> None:
    """... the client verifies certificate and name: there is something to verify.

    A client that trusts the authority of the target connects everywhere, long connections and HTTPS, as it
    is. Expected: the handshake is through, with TLS 1.2 or newer.
    """
    for place in secure:
        with Secured(place) as connection:
            version = connection.tls.version()
        assert version in ("TLSv1.2", "TLSv1.3"), f"{place}: expected TLS 1.2 or newer, got {version}"


@pytest.mark.parametrize("flaw", ["another name", "another authority"])
def test_a_client_that_cannot_verify_says_nothing(
    target: Target, block: Block, tmp_path: Path, flaw: str
) -> None:
    """The client verifies certificate and name.

    A client expects a certificate for another name, or trusts only another authority. Expected: it does not
    log in, it says that the certificate is why, and the user's other device is none the wiser.
    """
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    endpoints = long_ones(target)
    for endpoint in endpoints:
        parts = urlsplit(endpoint.url)
        ca = stranger if flaw == "another authority" else target.ca
        query = [f"ca={ca}"] if ca is not None else []
        query.append("name=chat.invalid" if flaw == "another name" else f"name={name_of(endpoint)}")
        doubted = parse_target(parts._replace(query="&".join(query)).geturl())
        user = block.users[0]
        identity = Identity(user.user, "doubter", user.token)
        policy = Policy(reconnect_base_s=0.1, reconnect_cap_s=0.1)
        with Device((doubted,), identity, policy=policy) as device:
            device.start()
            closed = device.await_event(Closed)
            device.await_event(Closed, since=device.events.index(closed) + 1)
            assert not device.all_of(LoggedIn), f"{endpoint.url}: expected no login with {flaw}"
        assert closed.reason is CloseReason.PROTOCOL_ERROR, f"expected a protocol error, got {closed.reason}"
        assert "certificate" in closed.detail, f"expected the certificate to be why, got {closed.detail!r}"


def name_of(endpoint: Endpoint) -> str:
    return Place.of(endpoint.url, endpoint.carrier.name, None).name


def long_ones(target: Target) -> list[Endpoint]:
    endpoints = [each for carrier in ("tls", "wss") for each in target.endpoints_of(carrier)]
    return endpoints or not_offered("the target has no --target chat+tls:// or chat+wss://")


def test_plain_words_get_nothing_but_the_end(secure: list[Place], block: Block) -> None:
    """TLS ... on the long connection and on HTTP: what comes in the clear is not taken there.

    LOGIN with a good token, a PING, and requests of HTTP for the health, for messages, for a token and for a
    WebSocket come in the clear to every address with TLS. Expected: the end, with an alert or with HTTP's
    400 before it, and nothing else.
    """
    user = block.users[0]
    login = frames.encode(Login(user.token, "in the clear")) + frames.EMPTY_PING
    bearer = f"Authorization: Bearer {user.token}\r\n"
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    requests = {
        "the health": request("GET /healthz"),
        "an inbox": request("GET /v1/inbox", bearer),
        "a token": request("POST /v1/tokens", "Content-Length: 2\r\n") + b"{}",
        "a WebSocket": request("GET /v1/ws", f"{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
    }
    for place in secure:
        for what, words in {"LOGIN": login, **requests}.items():
            said = said_to(place, words, enough=is_more_than_a_refusal)
            assert not is_more_than_a_refusal(said), (
                f"{place}: expected no answer to {what} in the clear, got {said[:60]!r}"
            )


def is_more_than_a_refusal(said: bytes) -> bool:
    return said[:1] not in (b"", bytes([ALERT])) and said.split(b" ")[1:2] != [b"400"]


def request(line: str, fields: str = "") -> bytes:
    return f"{line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n".encode()


# -- what goes through it


def hold(poller: Web, after: int) -> "gevent.Greenlet[..., Poll]":
    """A poll that waits for what comes after a version, under way; its answer."""
    # The connection is made before, so that the request goes out at once.
    poller.poll(after)
    held = gevent.spawn(poller.poll, after, wait_s=9)
    gevent.sleep(0)
    return held


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def phone_at(stack: ExitStack) -> Callable[[Endpoint, User, str], Phone]:
    """`phone_at(endpoint, user, device)`: logged in there."""
    return lambda endpoint, user, device: Phone(stack.enter_context(Wire(endpoint)), user, device)


def test_messages_go_through_long_connections(
    target: Target, block: Block, phone_at: Callable[[Endpoint, User, str], Phone]
) -> None:
    """TLS ... on the long connection: it carries what a plain one does.

    Over each long connection with TLS a user writes to a friend: a hundred messages in one piece and the
    largest there may be. Expected: each is acknowledged, pushed over TLS with its content, and pulled in
    pages that are longer than a record.
    """
    sender, friend = block.pick(2)
    largest = bytes(range(256)) * (MAX_MESSAGE_BODY_BYTES // 256)
    expected: list[bytes] = []
    for endpoint in long_ones(target):
        source, sink = phone_at(endpoint, sender, "source"), phone_at(endpoint, friend, "sink")
        bodies = [f"{endpoint.label} {number}".encode() for number in range(100)]
        source.say_all(friend.user, bodies)
        unlike = endpoint.label.encode().ljust(32)
        last = unlike + largest[len(unlike) :]
        source.say(friend.user, last)
        sink.await_push(last)
        expected += [*bodies, last]
        pulled = [entry.body for entry in sink.inbox()]
        same = pulled == expected
        assert same, f"{endpoint.url}: expected {len(expected)} messages as they were sent, got others"


def test_records_may_come_as_they_like(target: Target, block: Block) -> None:
    """TLS ... on the long connection: where a record begins means nothing.

    LOGIN, twenty PINGs and a SEND come as a record each, all in one piece, then as records that are cut at
    each byte. Expected: each is answered, although nothing comes after them.
    """
    sender, friend = block.pick(2)
    for endpoint in long_ones(target):
        if endpoint.carrier.name != "tls":
            continue
        place = Place.of(endpoint.url, "tls", target.ca)
        for cut_at, device in ((None, "whole"), (1, "cut")):
            cid = fresh_cid()
            words = [Login(sender.token, device), *[Ping()] * 20, Send(cid, friend.user, "text", b"x")]
            with Secured(place) as connection:
                data = connection.records(*map(frames.encode, words))
                for start in range(0, len(data), cut_at or len(data)):
                    connection.send_raw(data[start : start + (cut_at or len(data))])
                came = read_until(connection, messages.Sent)
            pongs = [message for message in came if isinstance(message, Pong)]
            assert len(pongs) == 20, f"{place}, {device}: expected 20 PONGs, got {len(pongs)}"
            assert isinstance(came[-1], Sent), f"{place}, {device}: expected SENT, got {came[-1]}"


def read_until(connection: Secured, kind: type[messages.Message]) -> list[messages.Message]:
    buffer = frames.FrameBuffer()
    came: list[messages.Message] = []
    while not came or not isinstance(came[-1], (kind, Error)):
        data = connection.read()
        assert data, f"expected {kind.__name__}, got {came} and the end"
        buffer.feed(data)
        came += iter(buffer.next_message, None)
    return came


@pytest.mark.needs("packages", "unread", "contacts", "history")
def test_the_whole_api_is_there_over_https(target: Target, block: Block, stack: ExitStack) -> None:
    """TLS ... on HTTP: every short request, and long poll, with the certificate verified.

    Over HTTPS a user writes to a friend, messages and a package, one as large as may be; the friend polls,
    waits for a message, reads, asks for contacts, history and counts; somebody without a token asks as well.
    Expected: answers as over HTTP; the poll that waits is answered by the message; 401 without a token.
    """
    url = target.https_url or not_offered("the target has no --http https:// URL")
    sender, friend = block.pick(2)

    def web(user: User | None) -> Web:
        token = None if user is None else user.token
        return stack.enter_context(Web(url, token, ca=target.ca))

    source, sink, nobody = web(sender), web(friend), web(None)
    held = hold(sink, after=0)
    first = source.say(friend.user, b"wakes the poll")
    mids = [entry["mid"] for entry in held.get().entries]
    assert mids == [first["mid"]], f"expected the poll to bring {first['mid']}, got {mids}"
    largest = bytes(range(256)) * (MAX_MESSAGE_BODY_BYTES // 256)
    source.say(friend.user, largest)
    last = source.say_package(friend.user, [b"item 1", b"item 2"])["placed"][-1]
    bodies = [b"wakes the poll", largest, b"item 1", b"item 2"]
    assert sink.poll().bodies == bodies, "expected to poll what was posted, over HTTPS both"
    name = first["conversation"]
    counts = sink.ask("GET", "/v1/unread")
    assert counts["total"] == 4, f"expected 4 unread messages, got {counts}"
    listed = sink.ask("GET", "/v1/contacts")["contacts"]
    assert [each["peer"] for each in listed] == [sender.user], f"expected {sender.user}, got {listed}"
    assert len(sink.history(name)) == 4, "expected the history of the 4 messages"
    sink.ask("POST", "/v1/read", {"conversation": name, "sequence": last["sequence"]})
    counts = sink.ask("GET", "/v1/unread")
    assert counts["total"] == 0, f"expected nothing unread after READ, got {counts}"
    status = nobody.call("GET", "/v1/inbox").status
    assert status == 401, f"expected 401 without a token, got {status}"


def test_both_secure_ways_lead_to_the_same_inbox(
    target: Target, block: Block, stack: ExitStack, phone_at: Callable[[Endpoint, User, str], Phone]
) -> None:
    """TLS 1.2 or newer on the long connection and on HTTP: of one server.

    A message is posted over HTTPS to a user on a long connection with TLS, and answered over that. Expected:
    the first is pushed, the second is what a poll that waits over HTTPS is answered with.
    """
    url = target.https_url or not_offered("the target has no --http https:// URL")
    one, other = block.pick(2)
    short, waiting = (stack.enter_context(Web(url, one.token, ca=target.ca)) for _ in range(2))
    for endpoint in long_ones(target):
        body = f"over HTTPS to {endpoint.label}".encode()
        phone = phone_at(endpoint, other, endpoint.carrier.name)
        sent = short.say(other.user, body)
        pushed = phone.await_push(body)
        assert pushed.mid == sent["mid"], f"expected the push of {sent['mid']}, got {pushed.mid}"
        held = hold(waiting, after=sent["version"])
        answer = phone.say(one.user, b"back")
        mids = [entry["mid"] for entry in held.get().entries]
        assert mids == [answer.mid], f"{endpoint.url}: expected the poll to bring {answer.mid}, got {mids}"
