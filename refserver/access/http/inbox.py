"""GET /v1/inbox: short poll, and long poll without a greenlet."""

from typing import Annotated

import msgspec

from protocol.messages import Count, Entry, Message, Pull, Pulled
from refserver.access.http.call import Call
from refserver.access.http.routes import route
from refserver.access.http.shapes import EntryShape, Limit

MAX_WAIT_S = 60.0


class InboxQuery(msgspec.Struct):
    """Entries with a version above `after`; with `wait_s`, up to 60, the answer waits for one to come."""

    after: Count = 0
    limit: Limit = 100
    wait_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class InboxPage(msgspec.Struct):
    """Oldest first. `newest` is the inbox's newest version; `more`: another page follows at once."""

    entries: list[EntryShape]
    newest: int
    more: bool


@route("GET", "/v1/inbox", request=InboxQuery, response=InboxPage)
def inbox(call: Call, query: InboxQuery) -> None:
    """What came after a version, at once or as soon as there is something."""
    if query.wait_s > 0:
        LongPoll(call, query).start()
    else:
        call.ask(Pull(query.after, query.limit), call.answer_as(InboxPage))


class LongPoll:
    """Watches first and pulls then, so that no entry falls between; each new entry leads to another pull."""

    __slots__ = ("_call", "_is_late", "_is_pulling", "_missed", "_query")

    def __init__(self, call: Call, query: InboxQuery) -> None:
        self._call = call
        self._query = query
        self._is_pulling = False
        self._is_late = False
        self._missed = False

    def start(self) -> None:
        """The call is answered by itself from here on."""
        self._call.watch(self._pushed)
        self._call.wake_after(min(self._query.wait_s, MAX_WAIT_S), self._time_is_over)
        self._pull()

    def _pull(self) -> None:
        self._is_pulling, self._missed = True, False
        self._call.ask(Pull(self._query.after, self._query.limit), self._pulled)

    def _pulled(self, reply: Message) -> None:
        self._is_pulling = False
        assert isinstance(reply, Pulled)
        if reply.entries or (self._is_late and not self._missed):
            self._call.answer_as(InboxPage)(reply)
        elif self._missed:
            self._pull()

    def _pushed(self, entry: Entry) -> None:
        if entry.version <= self._query.after:
            return
        if self._is_pulling:
            self._missed = True
        else:
            self._pull()

    def _time_is_over(self) -> None:
        self._is_late = True
        if not self._is_pulling:
            self._pull()
