"""What a user has: unread counts, contacts, history; and marking as read."""

import msgspec

from protocol.messages import Address, Contacts, Count, History, Name, Read, Unread
from refserver.access.http.call import Call
from refserver.access.http.routes import Nothing, route
from refserver.access.http.shapes import EntryShape, Limit


class Reading(msgspec.Struct):
    """Up to and including `sequence`."""

    conversation: Address
    sequence: Count
    device: Name | None = None


class ReadState(msgspec.Struct):
    conversation: str
    sequence: int
    unread: int
    total_unread: int


@route("POST", "/v1/read", request=Reading, response=ReadState, refusals=(403, 404))
def read(call: Call, reading: Reading) -> None:
    """Marks a conversation as read; reading an older point changes nothing."""
    if reading.device is not None:
        call.device = reading.device
    call.ask(Read(reading.conversation, reading.sequence), call.answer_as(ReadState))


class UnreadShape(msgspec.Struct):
    conversation: str
    unread: int


class UnreadState(msgspec.Struct):
    """`counts` names every conversation whose count is above zero."""

    total: int
    counts: list[UnreadShape]


@route("GET", "/v1/unread", response=UnreadState)
def unread(call: Call, _: Nothing) -> None:
    """The unread counts of the user."""
    call.ask(Unread(), call.answer_as(UnreadState))


class ContactsQuery(msgspec.Struct):
    """`after`: the `mid` of the last contact of the page before."""

    after: Count = 0
    limit: Limit = 100


class ContactShape(msgspec.Struct):
    peer: str
    mid: int
    sequence: int
    at_ms: int
    unread: int


class ContactPage(msgspec.Struct):
    contacts: list[ContactShape]


@route("GET", "/v1/contacts", request=ContactsQuery, response=ContactPage)
def contacts(call: Call, query: ContactsQuery) -> None:
    """Recent contacts, the most recent first."""
    call.ask(Contacts(query.after, query.limit), call.answer_as(ContactPage))


class HistoryQuery(msgspec.Struct):
    """Sequences below `before`; 0 starts at the newest."""

    before: Count = 0
    limit: Limit = 100


class HistoryShape(msgspec.Struct):
    entries: list[EntryShape]
    more: bool


@route(
    "GET",
    "/v1/conversations/{conversation}/messages",
    request=HistoryQuery,
    response=HistoryShape,
    refusals=(403, 404),
)
def history(call: Call, query: HistoryQuery) -> None:
    """The messages of a conversation, the newest first."""
    asked = History(call.names["conversation"], query.before, query.limit)
    call.ask(asked, call.answer_as(HistoryShape))
