"""What comes over a bound stream: messages as such, as copies and from archives; questions and answers."""

import os
from xml.etree.ElementTree import Element

from drivers.contract import Ponged, Received
from drivers.dialects.xmpp import coming, envelope, failures
from drivers.dialects.xmpp.archive import Archive
from drivers.dialects.xmpp.elements import (
    ARCHIVE,
    CARBONS,
    CLIENT,
    FORWARD,
    MANAGEMENT,
    PING,
    RECEIPTS,
    STANZA_ERRORS,
    escaped,
    named,
)
from drivers.dialects.xmpp.entering import Entering
from drivers.dialects.xmpp.stream import acked
from drivers.dialects.xmpp.target import PING_ID
from drivers.events import Event


class Reading(Entering):
    __slots__ = ()

    def _settle(self, cid: str, happened: list[Event]) -> None:
        """Something that names the send has answered for it."""
        settled = None if self._counts is None else self._counts.take(cid)
        if settled is not None:
            happened.append(acked(settled))

    # -- counts --

    def _requested(self, request: Element, happened: list[Event]) -> None:
        if self._counts is not None:
            self._out += f"<a xmlns='{MANAGEMENT}' h='{self._counts.handled}'/>".encode()

    def _answered(self, answer: Element, happened: list[Event]) -> None:
        counts = self._counts
        if counts is not None:
            happened.extend(acked(each) for each in counts.answered(answer.get("h")))
            if self._target.beat == "request":
                happened.append(PONG)

    def _ping(self) -> None:
        self._owes_ping = False
        counts = self._counts
        if self._target.beat == "request" and counts is not None and counts.is_on:
            counts.asks()
            self._out += REQUEST
        else:
            self._say(self._target.ping)

    # -- questions and answers --

    def _iq(self, iq: Element, happened: list[Event]) -> None:
        kind, name = iq.get("type"), iq.get("id", "")
        if kind in ("get", "set"):
            self._asked(iq, name)
        elif name == PING_ID:
            happened.append(PONG)
        elif name.startswith(FENCE):
            self._settle(name[len(FENCE) :], happened)
        else:
            archive = self._archive_of(name)
            if archive is not None and archive.is_reading:
                self._page_ended(archive, iq, happened)
            self._answered_at_the_door(name, iq, happened)

    def _asked(self, iq: Element, name: str) -> None:
        sender = iq.get("from")
        to = f" to='{escaped(sender)}'" if sender else ""
        head = f"<iq{self._target.namespace} id='{escaped(name)}'{to}"
        answer = " type='result'/>" if iq.find(_PING) is not None else f" type='error'>{_NOT_HERE}</iq>"
        self._say((head + answer).encode())

    def _archive_of(self, query_id: str | None) -> Archive | None:
        return next((each for each in (self._archives or {}).values() if each.query_id == query_id), None)

    def _page_ended(self, archive: Archive, iq: Element, happened: list[Event]) -> None:
        if iq.get("type") != "error":
            is_more = archive.answered(iq)
        else:
            is_more = archive.refused(failures.reason_of(iq))
            if not archive.is_known and self._archives is not None:
                del self._archives[archive.room]  # there is none
                if self._coming is not None:
                    self._coming.lack(coming.ROOM_ARCHIVE if archive.room else coming.ARCHIVE)
        if is_more:
            self._say(archive.go_on(self._target))
            return
        happened.extend(archive.let_all_go())
        if self._owes_ping and not any(each.is_reading for each in (self._archives or {}).values()):
            self._ping()

    # -- messages --

    def _message(self, message: Element, happened: list[Event]) -> None:
        result = message.find(_RESULT)
        if result is not None:
            self._archived(message, result, happened)
            return
        for kind in _COPIES:
            copies = message.find(kind)
            if copies is not None:
                # Whoever else claims to forward copies is lying (XEP-0280, section 11).
                if message.get("from") == self._own_address:
                    for copy in copies.iterfind(_FORWARDED):
                        self._show(copy, happened, "", is_copy=True)
                return
        if message.get("type") == "error":
            if self._counts is not None and self._counts.take(message.get("id", "")) is not None:
                happened.append(failures.rejected(message))
            return
        confirmed = message.find(_RECEIPT)
        if confirmed is not None:
            self._settle(confirmed.get("id", ""), happened)
        self._show(message, happened, "", is_copy=False)

    def _archived(self, message: Element, result: Element, happened: list[Event]) -> None:
        archive = self._archive_of(result.get("queryid"))
        if archive is None or message.get("from", self._own_address) != (archive.room or self._own_address):
            return
        entry = result.get("id", "")
        held = archive.let_go(entry)
        if held is not None:
            happened.append(held)
        elif archive.is_new(entry):
            for copy in result.iterfind(_FORWARDED):
                self._show(copy, happened, "pull", is_copy=True, attempt=1 + archive.is_behind)

    def _show(
        self, stanza: Element, happened: list[Event], via: str, *, is_copy: bool, attempt: int = 1
    ) -> None:
        message = envelope.read(stanza, self._identity, self._target)
        if message is None:
            return
        archive = (self._archives or {}).get(message.archive) if message.archived_as and not via else None
        if message.entry.sender == self._identity.user and message.device == self._identity.device:
            self._settle(message.id, happened)
            return
        if message.wants_receipt and not is_copy and message.id:
            self._say(envelope.receipt(self._target, stanza.get("from", ""), message.id))
        received = Received(message.entry, message.key or os.urandom(8).hex(), attempt, via)
        if archive is not None and archive.holds(message.archived_as, received):
            return
        happened.append(received)
        if archive is not None and archive.has_come(message.archived_as) and not archive.is_reading:
            self._say(archive.begin(self._target))


PONG = Ponged(None, None)
REQUEST = f"<r xmlns='{MANAGEMENT}'/>".encode()
FENCE = "fence "
"""How questions are called whose answer says that what was said before them has been dealt with."""
_NOT_HERE = f"<error type='cancel'><service-unavailable xmlns='{STANZA_ERRORS}'/></error>"
_PING = named(PING, "ping")
_RESULT = named(ARCHIVE, "result")
_COPIES = (named(CARBONS, "sent"), named(CARBONS, "received"))
_FORWARDED = f"{named(FORWARD, 'forwarded')}/{named(CLIENT, 'message')}"
_RECEIPT = named(RECEIPTS, "received")
