"""XMPP from the client's side: RFC 6120 and 6121, with the extensions that make it keep its messages.

What a message of the harness needs is spread over several: stream management (XEP-0198) answers for sends and
resumes a lost stream, archives (XEP-0313) bring what was missed, carbons (XEP-0280) what the user's other
devices wrote, group chat (XEP-0045) is for groups. Of a server without one of them nothing of it is asked.
"""

from collections.abc import Callable
from xml.etree.ElementTree import Element

import msgspec

from drivers import events
from drivers.contract import Ended, Identity, Outgoing, OutgoingPackage, Question
from drivers.dialects.xmpp import elements, envelope, failures
from drivers.dialects.xmpp.archive import Archive
from drivers.dialects.xmpp.cut import Cutter, Kind
from drivers.dialects.xmpp.elements import CLIENT, FRAMING, MANAGEMENT, PING, SASL, STREAMS, escaped, named
from drivers.dialects.xmpp.login import Login, Step, Turned
from drivers.dialects.xmpp.management import Management
from drivers.dialects.xmpp.reading import FENCE, REQUEST, Reading
from drivers.dialects.xmpp.stream import NOBODY
from drivers.dialects.xmpp.target import Target
from drivers.events import CloseReason, Event
from protocol.errors import LocalProtocolError, RemoteProtocolError


class Remains(msgspec.Struct, frozen=True):
    """What outlives a stream: its counts, if it can be resumed, and how far archives were read."""

    counts: Management | None
    archives: dict[str, Archive]


class XmppSession(Reading):
    """See `Stream` for its states.

    A heartbeat is a ping (XEP-0199), or a request for an acknowledgement (XEP-0198) where the target says so.
    While an archive is being read it waits for the last page: its answer then says that nothing is missing.
    """

    __slots__ = ()

    # -- what the client wants --

    def resume(self, remains: object) -> None:
        if isinstance(remains, Remains):
            self._counts, self._archives = remains.counts, remains.archives

    def remains(self) -> object | None:
        counts, archives = self._counts, self._archives or {}
        for archive in archives.values():
            archive.interrupt()
        goes_on = counts is not None and counts.token and not counts.is_doubtful
        return Remains(counts if goes_on else None, archives)

    def login(self, identity: Identity, version: int, heartbeat_s: int) -> None:
        if self._identity is not NOBODY:
            raise LocalProtocolError("this session has had its login")
        self._identity = identity
        self._login = Login(identity, self._target, self._counts)
        self._out += self._target.header

    def ping(self, heartbeat_s: int | None = None) -> None:
        self._check_is_in()
        reading = [each for each in (self._archives or {}).values() if each.is_reading]
        if not reading:
            self._ping()
        elif not self._owes_ping:
            self._owes_ping = True
        else:
            for archive in reading:  # the answer has had its time: the question may have got lost
                self._say(archive.go_on(self._target))

    def submit(self, outgoing: Outgoing | OutgoingPackage, attempt: int) -> None:
        self._check_is_in()
        if isinstance(outgoing, OutgoingPackage):
            raise LocalProtocolError("XMPP has no packages")
        stanza = envelope.written(outgoing, self._identity, self._target)
        self._say(stanza, outgoing.cid, envelope.conversation(self._identity.user, outgoing.to))
        if self._counts is not None and not self._counts.is_on:
            self._say(_fence(self._target, outgoing.cid))

    def acknowledge(self, version: int) -> None:
        raise LocalProtocolError("XMPP has no inbox versions")

    def pull(self, after: int, limit: int) -> None:
        raise LocalProtocolError("XMPP has no inbox versions")

    def ask(self, question: Question) -> None:
        raise LocalProtocolError(f"XMPP has no answer to {type(question).__name__}")

    def bye(self) -> None:
        if self._login is None:
            self._out += self._target.end
            if self._counts is not None:
                self._counts.token = ""  # a stream that was closed in words cannot be resumed

    def take(self) -> bytes:
        out, self._out = self._out, b""
        if self._is_over:
            return b""
        counts = self._counts
        if counts is not None and counts.wants_answer and self._login is None:
            counts.asks()
            out += REQUEST
        return out

    def _check_is_in(self) -> None:
        if self._login is not None or self._identity is NOBODY:
            raise LocalProtocolError("nothing can be sent before the login was answered")

    # -- what comes --

    def receive(self, data: bytes) -> list[Event]:
        if self._is_over:
            return []
        cutter = self._cutter
        if cutter is None:
            cutter = Cutter(in_stream=self._around is not None)
        happened: list[Event] = []
        cutter.feed(data)
        try:
            while not self._is_over and (piece := cutter.next_piece()) is not None:
                self._piece(*piece, cutter, happened)
        except Turned as error:
            self._turned(error, happened)
        except RemoteProtocolError as error:
            self._end(happened, Ended(CloseReason.PROTOCOL_ERROR, str(error)))
        self._cutter = None if cutter.is_empty or self._is_over else cutter
        return happened

    def _piece(self, kind: Kind, piece: bytes, cutter: Cutter, happened: list[Event]) -> None:
        if kind is Kind.CLOSE:
            self._end(happened, Ended(CloseReason.EOF, "the server closed the stream"))
        elif kind is Kind.OPEN:
            self._around = elements.opened(piece)
        else:
            assert self._around is not None, "the cutter has seen the start of the stream"
            element = elements.parsed(piece, self._around)
            if (about := _ABOUT_THE_STREAM.get(element.tag)) is not None:
                about(self, element, happened)
            elif self._login is not None:
                self._hear_at_the_door(self._login, element, cutter, happened)
            else:
                self._hear(element, happened)

    def _hear_at_the_door(
        self, login: Login, element: Element, cutter: Cutter, happened: list[Event]
    ) -> None:
        self._out += login.heard(element)
        if element.tag == _SUCCESS:
            cutter.restart()
            self._around = elements.ALONE if self._target.is_framed else None
        elif login.step in (Step.BOUND, Step.RESUMED):
            self._come_in(login, happened)

    def _hear(self, element: Element, happened: list[Event]) -> None:
        if element.tag in _STANZAS and self._counts is not None:
            self._counts.heard()
        reader = _READERS.get(element.tag)
        if reader is not None:
            reader(self, element, happened)

    def _turned(self, error: Turned, happened: list[Event]) -> None:
        if error.is_final:
            self._end(happened, events.Refused(error.code, str(error)))
        else:
            self._end(happened, Ended(CloseReason.ERROR, str(error)))

    def _stream_error(self, error: Element, happened: list[Event]) -> None:
        self._end(happened, *failures.stream_ended(error))

    def _opened(self, element: Element, happened: list[Event]) -> None:
        return  # what matters is in the features

    def _closed(self, close: Element, happened: list[Event]) -> None:
        where = close.get("see-other-uri")
        if where is not None:
            self._end(happened, *failures.leaving("the server names another address", where))
        else:
            self._end(happened, Ended(CloseReason.EOF, "the server closed the stream"))


_SUCCESS = named(SASL, "success")
_MESSAGE, _IQ, _PRESENCE = named(CLIENT, "message"), named(CLIENT, "iq"), named(CLIENT, "presence")
_STANZAS = (_MESSAGE, _IQ, _PRESENCE)

_Readers = dict[str, Callable[[XmppSession, Element, list[Event]], None]]
_ABOUT_THE_STREAM: _Readers = {
    named(STREAMS, "error"): XmppSession._stream_error,
    named(FRAMING, "open"): XmppSession._opened,
    named(FRAMING, "close"): XmppSession._closed,
}
_READERS: _Readers = {
    _MESSAGE: XmppSession._message,
    _IQ: XmppSession._iq,
    _PRESENCE: XmppSession._present,
    named(MANAGEMENT, "enabled"): XmppSession._enabled,
    named(MANAGEMENT, "failed"): XmppSession._not_enabled,
    named(MANAGEMENT, "r"): XmppSession._requested,
    named(MANAGEMENT, "a"): XmppSession._answered,
}


def _fence(target: Target, cid: str) -> bytes:
    return (
        f"<iq{target.namespace} type='get' id='{escaped(FENCE + cid)}' to='{escaped(target.domain)}'>"
        f"<ping xmlns='{PING}'/></iq>"
    ).encode()
