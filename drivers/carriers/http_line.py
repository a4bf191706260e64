"""One HTTP/1.1 connection from the client's side, sans-I/O: calls go out one at a time, answers come back.

Calls are not pipelined: a proxy on the way may not know how to.
"""

from collections import deque

import httptools
import msgspec

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Twice what a page may hold, because bodies travel as base64."""
_MAX_HEADER_BYTES = 64 * 1024


class Call(msgspec.Struct, frozen=True, gc=False):
    """A request, and what it is called for: `purpose` is the caller's and comes back with the answer."""

    method: str
    target: str
    body: bytes
    purpose: object
    patience_s: float


class Answer(msgspec.Struct, frozen=True, gc=False):
    status: int
    body: bytes


class BrokenAnswer(Exception):
    """What came is no HTTP, or too much of it; the connection is of no use any more."""


class Line:
    """Idle → a call under way → idle. `is_spent`: the server wants no more calls on this connection.

    `headers`: what every request carries besides its length, each with its line end. `prefix`: what stands
    before each target, for a proxy. `due`: when the answer
    to the call under way has to be there.
    """

    __slots__ = ("_body", "_body_bytes", "_completed", "_header_bytes", "_in_header", "_is_proven", "_parser",
                 "_prefix", "_waiting", "due", "headers", "is_spent", "under_way")  # fmt: skip

    def __init__(self, headers: bytes, prefix: str = "") -> None:
        self.headers = headers
        self._prefix = prefix
        self.under_way: Call | None = None
        self.due = float("inf")
        self._waiting: deque[Call] = deque()
        self._renew()

    def _renew(self) -> None:
        self.is_spent = False
        self._is_proven = False
        self._completed: Answer | None = None
        self._parser: httptools.HttpResponseParser | None = None

    def put(self, call: Call) -> None:
        """Make the call when those before it are answered."""
        self._waiting.append(call)

    def take(self, now: float) -> bytes:
        """The next request when its turn has come, else b"". What `is_spent` sends nothing more."""
        if self.under_way is not None or self.is_spent or not self._waiting:
            return b""
        call = self.under_way = self._waiting.popleft()
        self.due = now + call.patience_s
        head = f"{call.method} {self._prefix}{call.target} HTTP/1.1\r\n".encode()
        if call.method != "GET":
            head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(call.body)
        return head + self.headers + b"\r\n" + call.body

    def receive(self, data: bytes) -> tuple[Call, Answer] | None:
        """The call that `data` completes the answer to. Raises BrokenAnswer."""
        if self._parser is None:
            self._begin_answer()
        parser = self._parser
        assert parser is not None
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            what = error.__context__ if isinstance(error.__context__, BrokenAnswer) else f"no HTTP: {error}"
            raise BrokenAnswer(str(what)) from error
        answer, self._completed = self._completed, None
        if answer is None:
            # A field that never ends is not reported by the parser, so the bytes themselves are counted.
            self._header_bytes += len(data) if self._in_header else 0
            if self._header_bytes > _MAX_HEADER_BYTES:
                raise BrokenAnswer(f"the header of an answer is over {_MAX_HEADER_BYTES} bytes")
            return None
        call, self.under_way = self.under_way, None
        if call is None:
            raise BrokenAnswer(f"an answer {answer.status} to nothing that was asked")
        self.due = float("inf")
        self._is_proven = True
        return call, answer

    def ended(self) -> bool:
        """The connection is gone. Whether a new one may take its place: the server may close one that rests,
        and a call that met this is made again."""
        call, self.under_way, self.due = self.under_way, None, float("inf")
        may_go_on = call is None or (self._is_proven and self._parser is None)
        if call is not None:
            self._waiting.appendleft(call)
        self._renew()
        return may_go_on

    # -- called by httptools

    def _begin_answer(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._body_bytes = self._header_bytes = 0
        self._in_header = True

    def on_headers_complete(self) -> None:
        self._in_header = False

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > MAX_ANSWER_BYTES:
            raise BrokenAnswer(f"an answer is over {MAX_ANSWER_BYTES} bytes")
        self._body.append(body)

    def on_message_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        self.is_spent = not parser.should_keep_alive()
        self._completed = Answer(parser.get_status_code(), b"".join(self._body))
        self._parser = None
