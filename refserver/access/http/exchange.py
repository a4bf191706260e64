"""One HTTP connection: requests in, answers out, one after the other however many arrive at once."""

import time
from collections import deque
from http import HTTPStatus
from typing import Protocol

from refserver.access.http import answers
from refserver.access.http.answers import Answer
from refserver.access.http.call import Call
from refserver.access.http.channel import Channel
from refserver.access.http.parsing import Refused, Request, RequestParser

KEEP_ALIVE_S = 75.0
REQUEST_S = 15.0
WRITE_S = 30.0
LINGER_S = 2.0


class Host(Protocol):
    """The server that a connection belongs to."""

    def begin(self, exchange: "Exchange", request: Request) -> None:
        """A request's turn has come; its answer comes through `Exchange.answer`."""

    def interest(self, exchange: "Exchange") -> None:
        """What the connection wants to be told of has changed."""

    def close(self, exchange: "Exchange") -> None: ...


class Exchange:
    """Buffers and the parser exist only while a request is under way. `call` is the one being answered,
    `door` the number of the way by which the connection came in."""

    __slots__ = (
        "_host", "_is_looping", "_keep_alive", "_parser", "_refused", "_serving", "_waiting",
        "call", "channel", "closing", "deadline", "door", "is_head",
    )  # fmt: skip

    def __init__(self, host: Host, channel: Channel, now: float, door: int) -> None:
        self._host = host
        self.door = door
        self.channel = channel
        self.call: Call | None = None
        self.closing = False
        self.is_head = False
        self.deadline = now + KEEP_ALIVE_S
        self._parser: RequestParser | None = None
        self._waiting: deque[Request] | None = None
        self._refused: Refused | None = None
        self._keep_alive = True
        self._serving = False
        self._is_looping = False

    @property
    def fd(self) -> int:
        return self.channel.fd

    @property
    def wants_read(self) -> bool:
        """Not while requests wait here for their turn; when closing, for the end of the stream."""
        if self.closing:
            return True
        return not self._waiting and self._refused is None and not self.channel.is_choked

    @property
    def wants_write(self) -> bool:
        return self.channel.is_blocked

    @property
    def is_idle(self) -> bool:
        """True between requests."""
        return not self._serving and self._parser is None and not self.channel.is_blocked

    def readable(self, now: float) -> None:
        """Raises OSError for a connection that is gone."""
        if self.closing:
            if self.channel.skip():
                self._host.close(self)
            return
        data = self.channel.read()
        if data:
            self.hear(data, now)
        elif data is not None:
            self._host.close(self)
        else:
            # Nothing for a parser, but the carrier may have something to say.
            self._host.interest(self)
        if self.channel.is_over and not self.closing:
            self._carrier_is_over(now)

    def _carrier_is_over(self, now: float) -> None:
        if self._serving:
            self._host.close(self)
            return
        # Its last words may say why: closing at once could take them back.
        self.closing = True
        self._waiting = self._parser = None
        self.deadline = now + LINGER_S
        if not self.channel.is_blocked:
            self.channel.end()
        self._host.interest(self)

    def hear(self, data: bytes, now: float) -> None:
        """What the client has said. Raises OSError for a connection that is gone."""
        parser = self._parser
        if parser is None:
            parser = self._parser = RequestParser()
            self.deadline = now + REQUEST_S
        try:
            requests = parser.feed(data)
            self._refused = parser.refused
        except Refused as refused:
            requests, self._refused = [], refused
        if parser.wants_continue and not self._serving and self._refused is None:
            parser.wants_continue = False
            self.channel.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if requests:
            self._waiting = self._waiting or deque()
            self._waiting.extend(requests)
        if parser.is_idle:
            self._parser = None
        self._next()

    def _next(self) -> None:
        # A loop and no recursion: an answer that is there before `begin` returns comes back to here.
        self._is_looping = True
        while not self._serving and not self.channel.is_blocked and not self.closing:
            if self._waiting:
                request = self._waiting.popleft()
                self._waiting = self._waiting or None
                self._serving = True
                self._keep_alive = request.keep_alive
                self.is_head = request.method == "HEAD"
                self._host.begin(self, request)
            elif self._refused is not None:
                self.refuse(self._refused.status, str(self._refused))
            else:
                break
        self._is_looping = False
        self._host.interest(self)

    def answer(self, answer: Answer, *, last: bool = False) -> None:
        """Answers the request whose turn it is; with `last`, no other is taken."""
        self.call = None
        now = time.monotonic()
        self.closing = self.closing or last or not self._keep_alive
        self.deadline = now + WRITE_S
        self.channel.write(answers.to_bytes(answer, keep_alive=not self.closing, head=self.is_head))
        self._serving = False
        if not self.channel.is_blocked:
            self._written(now)
        if not self._is_looping:
            self._next()

    def refuse(self, status: HTTPStatus, text: str) -> None:
        """Answers what is no request, and ends the connection."""
        self._waiting = None
        self._parser = None
        self.is_head = False
        self.answer(answers.problem(status, text), last=True)

    def time_is_over(self, now: float) -> None:
        """The deadline has passed."""
        if self._serving:
            # It is the server that takes its time: a long poll, or a store that is busy.
            self.deadline = now + KEEP_ALIVE_S
        elif self._parser is not None and not self.closing and not self.channel.is_blocked:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, f"the request did not come within {REQUEST_S:g} s")
        else:
            self._host.close(self)

    def writable(self, now: float) -> None:
        """Raises OSError for a connection that is gone."""
        self.channel.flush()
        if self.channel.is_blocked:
            self.deadline = now + WRITE_S
        else:
            self._written(now)
            self._next()

    def _written(self, now: float) -> None:
        if self.closing:
            self.deadline = now + LINGER_S
            self.channel.end()
        elif self._parser is None:
            self.deadline = now + KEEP_ALIVE_S
        else:
            self.deadline = now + REQUEST_S
