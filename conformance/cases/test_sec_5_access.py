"""SEC.5: nothing answers without a valid token, and nobody gets at what belongs to another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gevent
import pytest

from conformance.accounts import Block, User
from conformance.carriers import on_a_connection
from conformance.clients import MakePhone, MakeWeb
from conformance.packages import package, try_package
from conformance.phone import Phone, fresh_cid
from conformance.tokens import tampered
from conformance.verdicts import Undecided, not_offered
from conformance.web import Web, history_path
from drivers.pumps.wire import Expected, Wire
from protocol import messages
from protocol.messages import Error, Item, LoggedIn, Login, Message

pytestmark = pytest.mark.clause("SEC.5")


def every_request(to: str, conversation: str) -> dict[str, Message]:
    """One of each request that a client may make after its login."""
    return {
        "PING": messages.Ping(),
        "PING with an interval": messages.Ping(1),
        "SEND": messages.Send(fresh_cid(), to, "text", b"never"),
        "SEND_PACKAGE": messages.SendPackage(fresh_cid(), to, [Item("text", b"never")]),
        "PUSHED": messages.Pushed(1),
        "PULL": messages.Pull(0, 100),
        "READ": messages.Read(conversation, 1),
        "UNREAD": messages.Unread(),
        "CONTACTS": messages.Contacts(0, 100),
        "HISTORY": messages.History(conversation, 0, 100),
        "BYE": messages.Bye(),
    }


def assert_refused(connection: Wire, what: str) -> None:
    """One ERROR 401, fatal, and the end: nothing is answered before or after it."""
    came = connection.expect_closed()
    errors = [(message.code, message.fatal) for message in came if isinstance(message, Error)]
    assert errors == [(401, True)], f"{what}: expected ERROR 401 and the end, got {came}"
    assert len(came) == 1, f"{what}: expected no other answer, got {came}"


@on_a_connection("over polls every request has a token or is refused, see the cases of the routes")
@pytest.mark.needs("unread")
def test_no_request_is_answered_before_a_login(
    block: Block, wire: Callable[[], Wire], phone: MakePhone
) -> None:
    """Without a valid, unexpired token nothing but login ... answers.

    Each request of the protocol is the first frame of a connection. Expected: ERROR 401 and the end for
    each; nothing was stored or read.
    """
    one, other = block.pick(2)
    sent = phone(one).say(other.user, b"unread")
    for name, request in every_request(other.user, sent.conversation).items():
        connection = wire()
        connection.send(request)
        assert_refused(connection, f"{name} without a login")
    assert_untouched(phone(other), [b"unread"], {sent.conversation: 1})


@on_a_connection("over polls every request has a token or is refused, see the cases of the routes")
@pytest.mark.needs("unread")
def test_no_request_is_answered_after_a_refused_login(
    block: Block, wire: Callable[[], Wire], phone: MakePhone
) -> None:
    """Without a valid, unexpired token nothing ... answers: nor what is sent along with a bad one.

    Each request follows, in one piece, a LOGIN with a token that has expired, and one whose end is wrong.
    Expected: ERROR 401 and the end; nothing was stored or read.
    """
    one, other = block.pick(2)
    sent = phone(one).say(other.user, b"unread")
    tokens = [("an expired token", one.expired_token)] if one.expired_token else []
    tokens.append(("a tampered token", tampered(one, other)["with another end"]))
    for what, token in tokens:
        for name, request in every_request(other.user, sent.conversation).items():
            connection = wire()
            connection.send(Login(token, "intruder"), request)
            assert_refused(connection, f"{name} after a LOGIN with {what}")
    assert_untouched(phone(other), [b"unread"], {sent.conversation: 1})


@on_a_connection("over polls no login names the user, see the cases of the routes")
def test_only_a_token_as_it_was_issued_lets_in(block: Block, wire: Callable[[], Wire]) -> None:
    """Without a valid ... token: one that was changed is not valid, however little.

    LOGIN is tried with no token, and with tokens cut, extended, mixed with another user's, reversed in
    parts, unsigned. Expected: ERROR 401 and the end for each; the same user's own token lets in as him.
    """
    one, other = block.pick(2)

    def try_token(what: str, token: str) -> None:
        connection = wire()
        connection.send(Login(token, "intruder"))
        assert_refused(connection, f"LOGIN with a token that is {what}")

    jobs = [gevent.spawn(try_token, what, token) for what, token in tampered(one, other).items()]
    gevent.joinall(jobs, raise_error=True)
    connection = wire()
    connection.send(Login(one.token, "phone"))
    answer = connection.expect(LoggedIn)
    assert answer.user == one.user, f"expected to be let in as {one.user}, it was as {answer.user}"


def test_an_expired_token_does_not_let_in(block: Block, wire: Callable[[], Wire]) -> None:
    """Without a ... unexpired token nothing but login answers.

    Tokens of three users that were valid once are used. Expected: ERROR 401 and the end.
    """
    users = [user for user in block.users if user.expired_token][:3]
    if not users:
        not_offered("the accounts file has no expired tokens")
    for user in users:
        connection = wire()
        connection.send(Login(user.expired_token, "phone"))
        assert_refused(connection, f"LOGIN of {user.user} with an expired token")


# -- what belongs to another


@dataclass(frozen=True, slots=True)
class Private:
    """Two friends' conversation and a group's, with unread messages, and somebody who is in neither."""

    one: User
    other: User
    intruder: User
    pair: str
    group: str
    sequence: int


@pytest.fixture
def private(block: Block, phone: MakePhone) -> Private:
    return something_private(block, phone)


def something_private(block: Block, phone: MakePhone) -> Private:
    one, other = block.pick(2)
    source = phone(one, "source")
    sent = source.say_all(other.user, [b"secret 1", b"secret 2"])
    source.say_all(block.group, [b"secret 3", b"secret 4"])
    intruder = block.account(block.outsiders[0])
    return Private(one, other, intruder, sent[0].conversation, block.group, sent[1].sequence)


def guesses(private: Private) -> Iterator[str]:
    """The names of what is not the intruder's, as they are and as somebody might try to bend them."""
    one, other, own = private.one.user, private.other.user, private.intruder.user
    yield from (private.pair, private.group)
    yield f"{other}:{one}" if private.pair == f"{one}:{other}" else f"{one}:{other}"
    yield from (f" {private.pair}", f"{private.pair} ", private.pair.upper(), f"{private.pair}\0")
    yield from (
        f"{private.pair}:{own}",
        f"{own}:{private.pair}",
        f"{private.group}:{own}",
        "%",
        "*",
        "g:",
        ":",
    )


def assert_untouched(victim: Phone, bodies: list[bytes], counts: dict[str, int]) -> None:
    found = [entry.body for entry in victim.inbox()]
    assert found == bodies, f"{victim.name}: expected the inbox {bodies}, found {found}"
    got = victim.unread()
    assert got == (sum(counts.values()), counts), f"{victim.name}: expected the counts {counts}, got {got}"


def refused(phone: Phone, request: Message, answer: type[Message]) -> bool:
    """True for an ERROR 403 or 404 that does not end the connection, False for an answer."""
    phone.wire.send(request)
    while True:
        message = phone.wire.next()
        assert message is not None, f"{request!r}: expected an answer, the connection was closed"
        if isinstance(message, answer):
            return False
        if isinstance(message, Error):
            assert message.code in (403, 404), f"{request!r}: expected ERROR 403 or 404, got {message}"
            assert not message.fatal, f"{request!r}: expected an ERROR that is not fatal, got {message}"
            return True


@pytest.mark.needs("history", "unread")
def test_anothers_conversation_can_be_neither_fetched_nor_marked(private: Private, phone: MakePhone) -> None:
    """... no user can read, acknowledge, mark or fetch what belongs to another, by any id guessing.

    A user who is no party asks for the history of a conversation and of a group, and marks both as read,
    under their names and under a dozen bent ones. Expected: ERROR 403 or 404 for each, or an empty page for
    a name that is nobody's; the parties' counts are as they were, and nobody is told of a read.
    """
    intruder, victim = phone(private.intruder), phone(private.other)
    for name in guesses(private):
        history = messages.History(name, 0, 100)
        if not refused(intruder, history, messages.HistoryPage):
            assert name not in (private.pair, private.group), f"expected no page of {name} for an outsider"
            page = intruder.history(name)
            assert page.entries == [], f"HISTORY of {name!r}: expected nothing, got {page.entries}"
        was_refused = refused(intruder, messages.Read(name, private.sequence), messages.ReadUpdate)
        assert was_refused, f"READ of {name!r}: expected ERROR 403 or 404"
    counts = {private.pair: 2, private.group: 2}
    bodies = [f"secret {number}".encode() for number in range(1, 5)]
    assert_untouched(victim, bodies, counts)
    told = [message for message in victim.told if isinstance(message, messages.ReadUpdate)]
    assert not told, f"expected nobody to be told of a read, got {told}"


@pytest.mark.needs("unread")
def test_nothing_can_be_sent_into_anothers_conversation(private: Private, phone: MakePhone) -> None:
    """... what belongs to another: a conversation belongs to its parties.

    A user who is no party sends messages to the names of a conversation and a group, as they are and bent.
    Expected: a definite error for each; neither party has any of it, nor does the intruder.
    """
    intruder, victim = phone(private.intruder), phone(private.other)
    for name in guesses(private):
        answer = intruder.try_to_say(name, b"intruding")
        assert isinstance(answer, Error), f"SEND to {name!r}: expected an ERROR, got {answer}"
    bodies = [f"secret {number}".encode() for number in range(1, 5)]
    assert_untouched(victim, bodies, {private.pair: 2, private.group: 2})
    assert_untouched(intruder, [], {})


@pytest.mark.needs("packages", "unread")
def test_no_package_can_be_sent_into_anothers_conversation(private: Private, phone: MakePhone) -> None:
    """... what belongs to another: several messages at once need the same rights as one.

    A user who is no party sends packages to the names of a conversation and a group, as they are and bent.
    Expected: a definite error for each; neither party has any of it, nor does the intruder.
    """
    intruder, victim = phone(private.intruder), phone(private.other)
    for name in guesses(private):
        answer = try_package(intruder, package(fresh_cid(), name, [b"intruding"]))
        assert isinstance(answer, Error), f"SEND_PACKAGE to {name!r}: expected an ERROR, got {answer}"
    bodies = [f"secret {number}".encode() for number in range(1, 5)]
    assert_untouched(victim, bodies, {private.pair: 2, private.group: 2})
    assert_untouched(intruder, [], {})


@on_a_connection("over polls nothing is acknowledged")
@pytest.mark.waits
@pytest.mark.needs("unread", "contacts")
def test_what_one_acknowledges_or_pulls_is_only_his(block: Block, phone: MakePhone) -> None:
    """... no user can ... acknowledge ... what belongs to another.

    While pushes to a victim wait for PUSHED, others of the same device name acknowledge high versions and
    pull. Expected: the victim's pushes come again; the others' inboxes, contacts and counts show nothing of
    it.
    """
    private = something_private(block, phone)
    source, victim = phone(private.one), phone(private.other, "phone")
    source.say(private.other.user, b"waits for PUSHED")
    victim.await_push(b"waits for PUSHED")
    control = phone(block.account(block.outsiders[1]))
    source.say(control.user, b"to compare")
    intruder = phone(private.intruder, "phone")
    intruder.acknowledge(1 << 40)
    found = (intruder.inbox(), intruder.contacts(), intruder.unread())
    assert found == ([], [], (0, {})), f"expected nothing of others for an intruder, found {found}"
    # Whether pushes are repeated at all is another clause's question; here it is who may stop it.
    try:
        control.await_push(b"to compare")
        control.expect(messages.Push)
    except Expected as error:
        raise Undecided("no push is repeated, so nobody can be seen to stop it") from error
    if len(victim.times_of(b"waits for PUSHED")) < 2:
        victim.expect(messages.Push, lambda push: push.body == b"waits for PUSHED", timeout_s=4.0)


# -- over HTTP


def every_route(to: str, conversation: str, sequence: int) -> dict[str, tuple[str, str, object]]:
    """Method, path and content of each route that needs a token."""
    message = {"cid": fresh_cid(), "to": to, "kind": "text", "body": "bmV2ZXI="}
    package = {"cid": fresh_cid(), "to": to, "items": [{"kind": "text", "body": "bmV2ZXI="}]}
    return {
        "a message": ("POST", "/v1/messages", message),
        "a package": ("POST", "/v1/messages", package),
        "short poll": ("GET", "/v1/inbox?after=0", None),
        "long poll": ("GET", "/v1/inbox?after=0&wait_s=5", None),
        "read": ("POST", "/v1/read", {"conversation": conversation, "sequence": sequence}),
        "unread": ("GET", "/v1/unread", None),
        "contacts": ("GET", "/v1/contacts", None),
        "history": ("GET", history_path(conversation), None),
    }


@pytest.mark.once("the routes are those of HTTP")
@pytest.mark.needs("unread")
def test_no_route_answers_without_a_valid_token(private: Private, phone: MakePhone, web: MakeWeb) -> None:
    """Without a valid, unexpired token nothing but login and the scheduler answers: over HTTP.

    Every route is called without a token, with an expired one, with tampered ones, with one in the wrong
    place or under the wrong scheme. Expected: 401 with WWW-Authenticate for each, and nothing of anybody in
    the answer; nothing was stored or read.
    """
    one, other = private.one, private.other
    routes = every_route(other.user, private.pair, private.sequence)
    bearers = {f"a token that is {what}": f"Bearer {token}" for what, token in tampered(one, other).items()}
    if one.expired_token:
        bearers["an expired token"] = f"Bearer {one.expired_token}"
    bearers["the scheme Basic"] = f"Basic {one.token}"
    bearers["no scheme"] = one.token
    short = web(None)

    def assert_401(method: str, path: str, content: object, what: str, **headers: str) -> None:
        reply = short.call(method, path, content, headers=headers)
        assert reply.status == 401, f"{method} {path} with {what}: expected 401, got {reply.status}"
        assert "WWW-Authenticate" in reply.headers, f"{method} {path}: expected WWW-Authenticate with 401"
        assert b"secret" not in reply.body, f"{method} {path} with {what}: expected nothing of the messages"

    for method, path, content in routes.values():
        assert_401(method, path, content, "no token")
        joint = "&" if "?" in path else "?"
        assert_401(method, f"{path}{joint}access_token={one.token}", content, "it in the query")
        assert_401(method, path, content, "it in a cookie", Cookie=f"token={one.token}")
        for what, value in bearers.items():
            assert_401(method, path, content, what, Authorization=value)
    bodies = [f"secret {number}".encode() for number in range(1, 5)]
    assert_untouched(phone(other), bodies, {private.pair: 2, private.group: 2})


@pytest.mark.once("the routes are those of HTTP")
@pytest.mark.needs("packages", "unread", "contacts", "history")
def test_no_route_gives_anothers_to_who_is_logged_in(
    private: Private, phone: MakePhone, web: MakeWeb
) -> None:
    """... no user can read, acknowledge, mark or fetch what belongs to another: over HTTP.

    An outsider with a token of his own calls every route for another's conversation, and for a group, under
    their names and bent ones. Expected: 403 or 404, or his own empty inbox, counts and contacts; the
    parties' are as they were.
    """
    short: Web = web(private.intruder)
    for name in guesses(private):
        for route, (method, path, content) in every_route(name, name, private.sequence).items():
            if route == "long poll":
                continue  # it would wait for a message of his own
            reply = short.call(method, path, content)
            assert b"secret" not in reply.body, f"{route} of {name!r}: expected nothing of others"
            if route in ("short poll", "unread", "contacts"):
                assert reply.status == 200, f"{route}: expected 200, got {reply.status}"
                shown = [value for value in reply.content.values() if value]
                assert not shown, f"{route}: expected nothing for somebody without messages, got {shown}"
            elif route == "history" and name not in (private.pair, private.group):
                empty = reply.status == 200 and not reply.content["entries"]
                assert empty or reply.status in (400, 403, 404), f"{route} of {name!r}: got {reply.status}"
            else:
                assert reply.status in (400, 403, 404), (
                    f"{route} of {name!r}: expected 403 or 404, got {reply.status}"
                )
                exact = name in (private.pair, private.group)
                assert not exact or reply.status != 400, f"{route} of {name}: expected 403 or 404, got 400"
    bodies = [f"secret {number}".encode() for number in range(1, 5)]
    assert_untouched(phone(private.other), bodies, {private.pair: 2, private.group: 2})


@pytest.mark.once("the routes are those of HTTP")
def test_a_token_acts_for_its_own_user_only(private: Private, phone: MakePhone, web: MakeWeb) -> None:
    """... another's: whatever a request says about who it is from.

    A message is posted with fields and headers that name somebody else as its sender. Expected: it is
    refused, or comes from who the token belongs to.
    """
    friend = private.one
    short = web(private.intruder)
    claims = {"user": friend.user, "sender": friend.user, "from": friend.user}
    content = {"cid": fresh_cid(), "to": private.other.user, "kind": "text", "body": "bWluZQ==", **claims}
    reply = short.call("POST", f"/v1/messages?user={friend.user}", content, headers={"X-User": friend.user})
    found = [entry for entry in phone(private.other).inbox() if entry.body == b"mine"]
    senders = {entry.sender for entry in found}
    assert senders <= {private.intruder.user}, f"expected the token's own user as the sender, got {senders}"
    assert reply.status != 200 or found, "expected a message that was confirmed to be there"
    name = f"user={private.other.user}"
    inbox = web(private.intruder).ask("GET", f"/v1/inbox?after=0&{name}")["entries"]
    assert all(entry["sender"] == private.intruder.user for entry in inbox), (
        f"expected the inbox of the token's own user, got {inbox}"
    )
    for route, what in (("/v1/unread", private.pair), ("/v1/contacts", private.one.user)):
        shown = web(private.intruder).call("GET", f"{route}?{name}", headers={"X-User": private.other.user})
        assert what.encode() not in shown.body, (
            f"GET {route}?{name}: expected what belongs to the token's own user, got {shown.body!r}"
        )
