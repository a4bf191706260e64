"""The chat protocol, version 1, from the client's side (docs/protocol.md).

This file does not know what time it is, and remembers only what the bytes make it remember.
"""

import re
from collections.abc import Callable
from typing import Any

from drivers import events
from drivers.contract import (
    Arrived,
    AskContacts,
    AskHistory,
    AskRead,
    Dialect,
    Ended,
    Identity,
    InWebSocket,
    Messages,
    Outgoing,
    OutgoingPackage,
    Page,
    Ponged,
    Question,
)
from drivers.events import CloseReason, Event
from protocol import frames, messages
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.limits import FEATURE_ZSTD
from protocol.messages import Message
from protocol.websocket import PATH


class ChatSession:
    """States: opening → (LOGIN sent) → entered (LOGGED_IN came) → over (ended by either side).

    | state   | may send      | may receive                                   |
    |---------|---------------|-----------------------------------------------|
    | opening | LOGIN, once   | LOGGED_IN, ERROR, GO_AWAY                     |
    | entered | all but LOGIN | what `_READERS` lists                         |
    | over    | – (ignored)   | – (ignored)                                   |
    """

    __slots__ = ("_buffer", "_out", "_over", "_zstd")

    def __init__(self) -> None:
        self._buffer: frames.FrameBuffer | None = None
        self._out = b""
        self._over = False
        # None until LOGGED_IN has come and says whether: a million sessions have one field less.
        self._zstd: bool | None = None

    def login(self, identity: Identity, version: int, heartbeat_s: int) -> None:
        if self._zstd is not None or self._out:
            raise LocalProtocolError("this session has had its login")
        self._out += frames.encode(
            messages.Login(
                token=identity.secret,
                device=identity.device,
                platform="chatproof",
                version=version,
                heartbeat_s=heartbeat_s,
                features=[FEATURE_ZSTD],
            )
        )

    def ping(self, heartbeat_s: int | None = None) -> None:
        if heartbeat_s is None and self._zstd is not None:
            self._out += frames.EMPTY_PING
        else:
            self._queue(messages.Ping(heartbeat_s))

    def submit(self, outgoing: Outgoing | OutgoingPackage, attempt: int) -> None:
        if isinstance(outgoing, OutgoingPackage):
            self._queue(messages.SendPackage(outgoing.cid, outgoing.to, list(outgoing.items)))
        else:
            self._queue(
                messages.Send(outgoing.cid, outgoing.to, outgoing.kind, outgoing.body, outgoing.sent_at_ms)
            )

    def acknowledge(self, version: int) -> None:
        self._queue(messages.Pushed(version))

    def pull(self, after: int, limit: int) -> None:
        self._queue(messages.Pull(after, limit))

    def ask(self, question: Question) -> None:
        self._queue(_question_message(question))

    def bye(self) -> None:
        if self._zstd is not None:
            self._queue(messages.Bye())

    def take(self) -> bytes:
        out, self._out = self._out, b""
        # What is asked of a session that the peer has ended goes nowhere: its client hears of the end after
        # what came before it.
        return b"" if self._over else out

    def receive(self, data: bytes) -> list[Event]:
        if self._over:
            return []
        buffer = self._buffer
        if buffer is None:
            if self._zstd is not None and len(data) <= _PONG_BYTES and (pong := _pongs.get(data)) is not None:
                return [pong]
            buffer = frames.FrameBuffer(data, compression=self._zstd is True)
        else:
            buffer.feed(data)
        happened: list[Event] = []
        try:
            while (message := buffer.next_message()) is not None:
                read = (_OPENING if self._zstd is None else _READERS).get(type(message))
                if read is None:
                    when = "" if self._zstd is not None else " before the login was answered"
                    raise RemoteProtocolError(f"the server sent a {type(message).__name__}{when}")
                read(self, message, happened)
                buffer.compression = self._zstd is True
                if self._over:
                    break
        except RemoteProtocolError as error:
            self._over = True
            happened.append(Ended(CloseReason.PROTOCOL_ERROR, str(error)))
        if self._buffer is None and len(data) <= _PONG_BYTES and buffer.is_empty:
            _remember(data, happened)
        self._buffer = None if buffer.is_empty or self._over else buffer
        return happened

    def _queue(self, message: Message) -> None:
        if self._zstd is None:
            raise LocalProtocolError(f"{type(message).__name__} before the login was answered")
        self._out += frames.encode(message)

    def _logged_in(self, message: messages.LoggedIn, happened: list[Event]) -> None:
        self._zstd = FEATURE_ZSTD in message.features
        happened.append(
            events.LoggedIn(
                message.user,
                message.session,
                message.version,
                float(message.heartbeat_s),
                tuple(message.features),
                "",
            )
        )

    def _pong(self, message: messages.Pong, happened: list[Event]) -> None:
        happened.append(Ponged(message.version, message.heartbeat_s))

    def _sent(self, message: messages.Sent, happened: list[Event]) -> None:
        happened.append(
            events.Acked(
                message.cid,
                message.mid,
                message.conversation,
                message.sequence,
                message.version,
                message.at_ms,
                0,
            )
        )

    def _package_sent(self, message: messages.PackageSent, happened: list[Event]) -> None:
        happened.append(
            events.PackageAcked(
                message.cid,
                message.conversation,
                tuple(message.placed),
                message.version,
                message.at_ms,
                0,
            )
        )

    def _push(self, message: messages.Push, happened: list[Event]) -> None:
        happened.append(Arrived(message, message.attempt))

    def _pulled(self, message: messages.Pulled, happened: list[Event]) -> None:
        happened.append(Page(tuple(message.entries), message.newest, message.more))

    def _read_update(self, message: messages.ReadUpdate, happened: list[Event]) -> None:
        happened.append(
            events.ReadUpdated(message.conversation, message.sequence, message.unread, message.total_unread)
        )

    def _unread_counts(self, message: messages.UnreadCounts, happened: list[Event]) -> None:
        happened.append(events.UnreadChanged(message.total, tuple(message.counts)))

    def _contact_list(self, message: messages.ContactList, happened: list[Event]) -> None:
        happened.append(events.ContactsListed(tuple(message.contacts)))

    def _history_page(self, message: messages.HistoryPage, happened: list[Event]) -> None:
        happened.append(events.HistoryListed(tuple(message.entries), message.more))

    def _go_away(self, message: messages.GoAway, happened: list[Event]) -> None:
        happened.append(
            events.GoneAway(message.reason, message.retry_after_ms / 1000, tuple(message.endpoints))
        )
        self._over = True
        reason = CloseReason.REPLACED if message.reason == "replaced" else CloseReason.DRAINING
        happened.append(
            Ended(reason, message.reason, message.retry_after_ms / 1000, tuple(message.endpoints))
        )

    def _error(self, message: messages.Error, happened: list[Event]) -> None:
        if message.cid is not None:
            retry_after_s = _retry_after_s(message.code, message.text)
            happened.append(events.Rejected(message.cid, message.code, message.text, retry_after_s))
        elif self._zstd is None and message.code in _FINAL_LOGIN_ERRORS:
            happened.append(events.Refused(message.code, message.text))
        else:
            happened.append(events.ServerError(message.code, message.text, message.fatal))
        if message.fatal:
            self._over = True
            reason = CloseReason.REPLACED if message.code == ErrorCode.LOGIN_REPLACED else CloseReason.ERROR
            happened.append(
                Ended(reason, f"{message.code} {message.text}", _retry_after_s(message.code, message.text))
            )


_PONG_BYTES = 24
_MOST_PONGS = 4096
_pongs: dict[bytes, Ponged] = {}
"""PONGs as they came: those of idle devices are the same few bytes, and need not be read a million times."""


def _remember(data: bytes, happened: list[Event]) -> None:
    # Not a compressed one: whether that is allowed depends on the session.
    if len(happened) == 1 and isinstance(pong := happened[0], Ponged) and not frames.is_compressed(data):
        if len(_pongs) >= _MOST_PONGS:
            _pongs.clear()
        _pongs[data] = pong


_RETRY_LATER = (ErrorCode.TOO_MANY_REQUESTS, ErrorCode.OVERLOADED)
_LONGEST_RETRY_S = 3600.0
_FINAL_LOGIN_ERRORS = (ErrorCode.NOT_LOGGED_IN, ErrorCode.NOT_PERMITTED)
"""What trying again with the same token cannot mend."""

# Each reader takes just the message it is listed for, hence Any.
_Readers = dict[type[Message], Callable[[ChatSession, Any, list[Event]], None]]
_OPENING: _Readers = {
    messages.LoggedIn: ChatSession._logged_in,
    messages.GoAway: ChatSession._go_away,
    messages.Error: ChatSession._error,
}
_READERS: _Readers = {
    messages.Pong: ChatSession._pong,
    messages.Sent: ChatSession._sent,
    messages.PackageSent: ChatSession._package_sent,
    messages.Push: ChatSession._push,
    messages.Pulled: ChatSession._pulled,
    messages.ReadUpdate: ChatSession._read_update,
    messages.UnreadCounts: ChatSession._unread_counts,
    messages.ContactList: ChatSession._contact_list,
    messages.HistoryPage: ChatSession._history_page,
    messages.GoAway: ChatSession._go_away,
    messages.Error: ChatSession._error,
}


def _retry_after_s(code: int, text: str) -> float:
    """What 429 and 503 wish: the first number in their text is milliseconds."""
    number = re.search(r"\d+", text) if code in _RETRY_LATER else None
    return 0.0 if number is None else min(int(number.group()) / 1000, _LONGEST_RETRY_S)


def _question_message(question: Question) -> Message:
    if isinstance(question, AskRead):
        return messages.Read(question.conversation, question.sequence)
    if isinstance(question, AskContacts):
        return messages.Contacts(question.after, question.limit)
    if isinstance(question, AskHistory):
        return messages.History(question.conversation, question.before, question.limit)
    return messages.Unread()


DIALECT = Dialect(
    name="chat",
    new_session=ChatSession,
    offers=frozenset({"history", "contacts", "versions", "multi_device", "unread", "offline", "packages"}),
    default_port=14000,
    framing="chat",
    websocket=InWebSocket(path=PATH, messages=Messages.FRAMES),
)
