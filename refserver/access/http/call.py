"""One request on its way to its answer. Handlers see nothing else of the server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import gevent
import msgspec

from protocol.errors import ErrorCode, ProtocolError
from protocol.messages import Entry, Error, Message, decode_body, encode_body
from refserver.access.http import answers
from refserver.access.http.answers import Answer

if TYPE_CHECKING:
    from refserver.access.http.server import HttpNode

log = logging.getLogger(__name__)

S = TypeVar("S", bound=msgspec.Struct)
M = TypeVar("M", bound=Message)


class Call:
    """Answered once: what comes after the answer, or after the client left, goes nowhere."""

    __slots__ = ("_then", "device", "finished", "names", "node", "number", "on_end", "on_time", "user")

    def __init__(self, node: HttpNode, number: int) -> None:
        self.node = node
        self.number = number
        self.user = ""
        self.device = ""
        self.names: dict[str, str] = {}
        self.finished = False
        self.on_end: Callable[[], None] | None = None
        self.on_time: Callable[[], None] | None = None
        self._then: Callable[[Message], None] | None = None

    def answer(self, value: msgspec.Struct) -> None:
        """200 with `value` as JSON."""
        self._end(answers.json(value))

    def answer_text(self, text: str, content_type: str) -> None:
        """200 with `text` as it is."""
        self._end(Answer(HTTPStatus.OK, text.encode(), content_type))

    def answer_as(self, kind: type[S]) -> Callable[[Message], None]:
        """For `ask`: answers with the reply's fields of the same names."""
        return lambda reply: self.answer(msgspec.convert(reply, kind, from_attributes=True))

    def fail(
        self, code: int, text: str, *, cid: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Problem details; `code` is an ErrorCode or an HTTP status."""
        self._end(answers.problem(code, text, cid=cid, headers=headers))

    def ask(self, message: Message, then: Callable[[Message], None]) -> None:
        """`then(reply)` is called with the answer of business. An ERROR becomes a problem by itself."""
        try:
            # The same bounds as on the long connection, by the same code.
            message = decode_body(message.TYPE, encode_body(message))
        except (ProtocolError, msgspec.MsgspecError) as error:
            self.fail(ErrorCode.MALFORMED, str(error))
            return
        self._then = then
        self.node.ask(self, message)

    def replied(self, reply: Message) -> None:
        """The answer of business to the last `ask`."""
        then, self._then = self._then, None
        if self.finished or then is None:
            return
        if isinstance(reply, Error):
            self.fail(reply.code, reply.text, cid=reply.cid)
        else:
            then(reply)

    def watch(self, pushed: Callable[[Entry], None]) -> None:
        """`pushed(entry)` is called for each entry of the user's inbox that is committed from now on."""
        self.node.watch(self, pushed)

    def wake_after(self, seconds: float, on_time: Callable[[], None]) -> None:
        """`on_time()` is called once, after that time or when the server is about to leave."""
        self.on_time = on_time
        self.node.wake_after(self, seconds)

    def spawn(self, work: Callable[[], Answer]) -> None:
        """For what has to wait: runs in a greenlet of its own, and answers with what it returns."""
        gevent.spawn(self._work, work)

    def _work(self, work: Callable[[], Answer]) -> None:
        try:
            self._end(work())
        except Exception:
            log.exception("a request failed")
            self.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of this server")

    def abandon(self) -> None:
        """The client left."""
        self._finish()

    def _end(self, answer: Answer) -> None:
        if not self.finished:
            self._finish()
            self.node.answered(self, answer)

    def _finish(self) -> None:
        self.finished = True
        self.on_time = None
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()
