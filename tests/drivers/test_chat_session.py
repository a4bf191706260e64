"""The dialect as a table of (state, bytes) → notes and events, whole and cut at every position."""

from collections.abc import Sequence

import pytest

from drivers import events
from drivers.contract import (
    Arrived,
    AskContacts,
    AskHistory,
    AskRead,
    AskUnread,
    Ended,
    Identity,
    Outgoing,
    Page,
    Ponged,
)
from drivers.dialects.chat import ChatSession
from drivers.events import CloseReason, Event
from protocol import frames, messages
from protocol.errors import LocalProtocolError
from protocol.messages import Entry, Message

ENTRY = Entry(3, 103, "ann:bob", 7, "bob", "text", b"hello" * 50, 12)
WELCOME = messages.LoggedIn("ann", 9, 3, 60, ["zstd"], 0, "n1")
PLAIN_WELCOME = messages.LoggedIn("ann", 9, 3, 60, [], 0, "n1")
LOGGED_IN = events.LoggedIn("ann", 9, 3, 60.0, ("zstd",), "")


def opening() -> ChatSession:
    session = ChatSession()
    session.login(Identity("ann", "phone", "token"), 3, 60)
    session.take()
    return session


def entered(welcome: Message = WELCOME) -> ChatSession:
    session = opening()
    session.receive(frames.encode(welcome))
    return session


def plain() -> ChatSession:
    return entered(PLAIN_WELCOME)


def frame(*said: Message) -> bytes:
    return b"".join(map(frames.encode, said))


def ended(reason: CloseReason, detail: str, retry_after_s: float = 0.0) -> Ended:
    return Ended(reason, detail, retry_after_s)


BROKEN = CloseReason.PROTOCOL_ERROR
PULLED = messages.Pulled([ENTRY], 3, False)
PUSH = messages.Push(3, 103, "ann:bob", 7, "bob", "text", b"hello" * 50, 12)
HEADER = bytes([0xC7, 0x04, 0, 0, 0, 0, 0, 0])

TABLE = [
    # state, bytes, what the client hears
    (opening, frame(WELCOME), [LOGGED_IN]),
    (opening, frame(WELCOME, ENTRY, messages.Pong(3, 60)), [LOGGED_IN, Arrived(PUSH, 1), Ponged(3, 60)]),
    (
        opening,
        frame(messages.Error(401, "expired", fatal=True)),
        [events.Refused(401, "expired"), ended(CloseReason.ERROR, "401 expired")],
    ),
    (
        opening,
        frame(messages.Error(503, "try in 700 ms", fatal=True)),
        [events.ServerError(503, "try in 700 ms", True), ended(CloseReason.ERROR, "503 try in 700 ms", 0.7)],
    ),
    (
        opening,
        frame(messages.GoAway("overloaded", 1500, ["a:1"])),
        [
            events.GoneAway("overloaded", 1.5, ("a:1",)),
            Ended(CloseReason.DRAINING, "overloaded", 1.5, ("a:1",)),
        ],
    ),
    (opening, frame(ENTRY), [ended(BROKEN, "the server sent a Push before the login was answered")]),
    (opening, frame(messages.Bye()), [ended(BROKEN, "the server sent a Bye before the login was answered")]),
    (entered, frame(WELCOME), [ended(BROKEN, "the server sent a LoggedIn")]),
    (entered, frame(messages.Bye()), [ended(BROKEN, "the server sent a Bye")]),
    (entered, frame(messages.Pong(5, 30)), [Ponged(5, 30)]),
    (entered, frame(ENTRY), [Arrived(PUSH, 1)]),
    (
        entered,
        frame(messages.Sent("c", 1, "ann:bob", 2, 3, 4)),
        [events.Acked("c", 1, "ann:bob", 2, 3, 4, 0)],
    ),
    (entered, frame(PULLED), [Page((ENTRY,), 3, False)]),
    (entered, frames.encode(PULLED, compressed=True), [Page((ENTRY,), 3, False)]),
    (
        plain,
        frames.encode(PULLED, compressed=True),
        [ended(BROKEN, "a compressed body, but compression was not agreed on")],
    ),
    (entered, frame(messages.ReadUpdate("ann:bob", 7, 1, 2)), [events.ReadUpdated("ann:bob", 7, 1, 2)]),
    (entered, frame(messages.UnreadCounts(2, [])), [events.UnreadChanged(2, ())]),
    (entered, frame(messages.ContactList([])), [events.ContactsListed(())]),
    (entered, frame(messages.HistoryPage([ENTRY], True)), [events.HistoryListed((ENTRY,), True)]),
    (entered, frame(messages.Error(403, "no", "c")), [events.Rejected("c", 403, "no")]),
    (entered, frame(messages.Error(404, "what")), [events.ServerError(404, "what", False)]),
    (
        entered,
        frame(messages.GoAway("replaced"), messages.Pong(5, 60)),
        [events.GoneAway("replaced", 0.0), ended(CloseReason.REPLACED, "replaced")],
    ),
    (
        entered,
        frame(messages.Error(409, "login replaced", fatal=True)),
        [events.ServerError(409, "login replaced", True), ended(CloseReason.REPLACED, "409 login replaced")],
    ),
    (
        entered,
        frame(messages.Pong(5, 60)) + b"GET / HTTP/1.1\r\n",
        [Ponged(5, 60), ended(BROKEN, "a frame starts with 0x47, not 0xc7")],
    ),
    (entered, HEADER[:1] + b"\x99" + HEADER[2:], [ended(BROKEN, "unknown frame type 0x99")]),
]  # fmt: skip
IDS = [f"{number}-{state.__name__}" for number, (state, _, _) in enumerate(TABLE)]


@pytest.mark.parametrize(("state", "data", "heard"), TABLE, ids=IDS)
def test_the_client_hears_what_the_bytes_say(state, data: bytes, heard: Sequence[Event]) -> None:
    assert state().receive(data) == list(heard)


@pytest.mark.parametrize(("state", "data", "heard"), TABLE, ids=IDS)
def test_wherever_the_bytes_are_cut_the_client_hears_the_same(state, data, heard) -> None:
    for at in range(1, len(data)):
        session = state()
        assert session.receive(data[:at]) + session.receive(data[at:]) == list(heard)
    session = state()
    assert [event for byte in data for event in session.receive(bytes([byte]))] == list(heard)


COMMANDS = [
    (lambda session: session.ping(), messages.Ping()),
    (lambda session: session.ping(30), messages.Ping(30)),
    (lambda session: session.submit(Outgoing("c", "bob", "text", b"x", 5), 2), messages.Send("c", "bob", "text", b"x", 5)),  # noqa: E501
    (lambda session: session.acknowledge(4), messages.Pushed(4)),
    (lambda session: session.pull(3, 500), messages.Pull(3, 500)),
    (lambda session: session.ask(AskRead("ann:bob", 3)), messages.Read("ann:bob", 3)),
    (lambda session: session.ask(AskUnread()), messages.Unread()),
    (lambda session: session.ask(AskContacts(1, 2)), messages.Contacts(1, 2)),
    (lambda session: session.ask(AskHistory("ann:bob", 1, 2)), messages.History("ann:bob", 1, 2)),
    (lambda session: session.bye(), messages.Bye()),
]  # fmt: skip


@pytest.mark.parametrize(("command", "frame_of"), COMMANDS)
def test_a_command_is_one_frame_once_the_login_was_answered(command, frame_of: Message) -> None:
    session = entered()
    command(session)
    assert session.take() == frames.encode(frame_of)
    assert session.take() == b""


@pytest.mark.parametrize(("command", "frame_of"), COMMANDS[:-1])
def test_a_command_before_that_is_a_mistake_of_the_caller(command, frame_of: Message) -> None:
    session = opening()
    with pytest.raises(LocalProtocolError, match="before the login was answered"):
        command(session)
    assert session.take() == b""


@pytest.mark.parametrize(("command", "frame_of"), COMMANDS)
def test_a_command_after_the_end_goes_nowhere(command, frame_of: Message) -> None:
    session = entered()
    session.receive(frame(messages.GoAway("draining")))
    command(session)
    assert session.take() == b""
    assert session.receive(frame(messages.Pong(1, 60))) == []


def test_the_login_is_the_first_frame_and_comes_once() -> None:
    session = ChatSession()
    session.login(Identity("ann", "phone", "token"), 3, 60)
    with pytest.raises(LocalProtocolError):
        session.login(Identity("ann", "phone", "token"), 3, 60)
    login = frames.FrameBuffer(session.take()).next_message()
    assert login == messages.Login("token", "phone", "chatproof", 3, 60, ["zstd"])


def test_a_heartbeat_costs_eight_bytes_and_a_session_without_bytes_keeps_no_buffer() -> None:
    session = entered()
    session.ping()
    assert len(session.take()) == 8
    session.receive(frame(messages.Pong(3, 60)))
    assert session._buffer is None
