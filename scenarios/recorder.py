"""Turns what clients report into ledger rows, counts, histograms and Locust totals."""

import time
from collections.abc import Callable
from typing import Any

from drivers import events
from drivers.client import Client
from drivers.events import CloseReason, Event
from ledger import schema
from ledger.errors import LedgerError
from ledger.histograms import Histograms
from ledger.writer import LedgerWriter
from protocol.messages import Entry
from scenarios.letters import Letter, Stationery
from scenarios.owed import Owed
from scenarios.ports import PortBook
from scenarios.totals import Totals

LATE_BEAT_S = 5.0
"""A heartbeat answered later than this counts as late."""

_CLOSE_CODES = {
    CloseReason.EOF: schema.CloseReason.EOF,
    CloseReason.RESET: schema.CloseReason.RESET,
    CloseReason.SILENCE: schema.CloseReason.SILENCE,
    CloseReason.UNANSWERED: schema.CloseReason.UNANSWERED,
    CloseReason.LOGIN_TIMEOUT: schema.CloseReason.LOGIN_TIMEOUT,
    CloseReason.PROTOCOL_ERROR: schema.CloseReason.PROTOCOL_ERROR,
    CloseReason.REPLACED: schema.CloseReason.REPLACED,
    CloseReason.DRAINING: schema.CloseReason.DRAINING,
    CloseReason.REFUSED: schema.CloseReason.REFUSED,
    CloseReason.ERROR: schema.CloseReason.PROTOCOL_ERROR,
    CloseReason.LEFT: schema.CloseReason.LEFT,
}


class Recorder:
    """Hears every event of every client of a process; never waits, never raises for what a server does.

    `conversations`: number by wire name, filled in by the cohorts that chat. `awaited`: devices whose next
    word about their version (an answered heartbeat, a login) somebody waits for. `on_delivered` is told of
    every message that a device was shown. `broken`: why the ledger cannot be written, None while it can.
    `audience` tells on how many devices a message is to be shown, by number of its conversation.
    """

    def __init__(
        self,
        ledger: LedgerWriter,
        histograms: Histograms,
        totals: Totals,
        stationery: Stationery,
        audience: Callable[[int], int] = lambda conversation: 0,
    ) -> None:
        self._ledger = ledger
        self._histograms = histograms
        self._totals = totals
        self._stationery = stationery
        self._audience = audience
        self._opened_at: dict[int, float] = {}
        self._planned: dict[int, int] = {}
        self._packages: dict[int, int] = {}
        self._held_back: set[tuple[int, int]] = set()
        self._vias = {name: ledger.via(name) for name in ("push", "pull", "poll")}
        self.conversations: dict[str, int] = {}
        self.awaited: set[int] = set()
        self.on_delivered: Callable[[Client, Entry, float], None] | None = None
        self.online = 0
        self.opened = 0
        self.failed = 0
        self.dropped = 0
        self.beats = dict.fromkeys(("due", "sent", "answered", "late", "missed", "abandoned"), 0)
        self.messages = dict.fromkeys(
            ("sent", "acked", "rejected", "delivered", "repeated", "retransmitted"), 0
        )
        self.server_errors = 0
        self.owed = Owed()
        self.broken: str | None = None
        self.ports: PortBook | None = None

    def observe(self, client: Client, event: Event, now: float) -> None:
        """The observer of all clients."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, client, event, now)

    def sending(self, first: int, planned_ns: int, conversation: int, count: int = 1) -> None:
        """A device hands a message to its client, or a package of `count` that begins with `first`."""
        self.messages["sent"] += count
        if count > 1:
            self._packages[first] = count
        now_ns = time.monotonic_ns()
        for place, message in enumerate(range(first, first + count)):
            self._planned[message] = planned_ns
            code = place if count > 1 else None
            self._add(now_ns, planned_ns, schema.Event.SEND, message >> 32, message, conversation, code=code)

    def note(self, client: Client, event: schema.Event, now: float, *, version: int | None = None) -> None:
        """A row about a device as such: offline, online, settled, unsettled."""
        if version is not None:
            version = _version(client, version)
        self._add(int(now * 1e9), None, event, client.index, version=version)

    # -- connection --

    def _opened(self, client: Client, event: events.Opened, now: float) -> None:
        self.opened += 1
        if self.ports is not None:
            self.ports.note(client.link, client.index, now)
        self._opened_at[client.index] = now

    def _logged_in(self, client: Client, event: events.LoggedIn, now: float) -> None:
        self.online += 1
        self.awaited.discard(client.index)
        login_s = now - self._opened_at.pop(client.index, now)
        self._histograms.record("login", login_s)
        if client.lost_at is not None:
            self._histograms.record("reconnect", now - client.lost_at)
        self._row(
            now, schema.Event.LOGIN, client, version=_version(client, event.version),
            via=self._ledger.via(event.endpoint), code=client.failures + 1,
        )  # fmt: skip

    def _connect_failed(self, client: Client, event: events.ConnectFailed, now: float) -> None:
        self.failed += 1
        self._totals.fail("CONN", "connect", f"{event.endpoint}: {event.reason}")
        self._row(now, schema.Event.CONNECT_FAILED, client, via=self._ledger.via(event.endpoint))

    def _closed(self, client: Client, event: events.Closed, now: float) -> None:
        self._opened_at.pop(client.index, None)
        if event.was_logged_in:
            self.online -= 1
            if event.reason is not CloseReason.LEFT:
                self.dropped += 1
        self._row(
            now, schema.Event.CLOSED, client,
            via=self._ledger.via(client.endpoint.label), code=_CLOSE_CODES[event.reason],
        )  # fmt: skip

    def _refused(self, client: Client, event: events.Refused, now: float) -> None:
        self.failed += 1
        self._totals.fail("CONN", "login", f"{event.code} {event.text}")
        self._row(now, schema.Event.REFUSED, client, code=event.code)

    def _gone_away(self, client: Client, event: events.GoneAway, now: float) -> None:
        self._row(now, schema.Event.GONE_AWAY, client, code=int(event.reason == "replaced"))

    def _server_error(self, client: Client, event: events.ServerError, now: float) -> None:
        self.server_errors += 1
        self._totals.fail("CONN", "error", f"{event.code} {event.text}")

    # -- heartbeat --

    def _beat_sent(self, client: Client, event: events.BeatSent, now: float) -> None:
        self.beats["due"] += 1
        self.beats["sent"] += 1

    def _beat(self, client: Client, event: events.Beat, now: float) -> None:
        self.beats["answered"] += 1
        if self.awaited:
            self.awaited.discard(client.index)
        if event.rtt_s > LATE_BEAT_S:
            self.beats["late"] += 1
        self._histograms.record("heartbeat", event.rtt_s)

    def _beat_missed(self, client: Client, event: events.BeatMissed, now: float) -> None:
        self.beats["missed"] += 1
        self._totals.fail("BEAT", "heartbeat", "no answer")

    def _beat_abandoned(self, client: Client, event: events.BeatAbandoned, now: float) -> None:
        self.beats["abandoned"] += 1

    # -- sends --

    def _retransmitted(self, client: Client, event: events.Retransmitted, now: float) -> None:
        for message in self._messages_of(_message(client, event.cid)):
            self.messages["retransmitted"] += 1
            self._row(now, schema.Event.RETRANSMIT, client, message=message, code=event.attempt)

    def _acked(self, client: Client, event: events.Acked, now: float) -> None:
        if not event.repeat:
            message = _message(client, event.cid)
            self._placed(client, message, event.conversation, event.sequence, event.version, now)

    def _package_acked(self, client: Client, event: events.PackageAcked, now: float) -> None:
        if event.repeat:
            return
        first = _message(client, event.cid)
        self._packages.pop(first, None)
        version = event.version - len(event.placed) + 1
        for number, placed in enumerate(event.placed):
            self._placed(client, first + number, event.conversation, placed.sequence, version + number, now)

    def _placed(
        self,
        client: Client,
        message: int,
        conversation: str,
        sequence: int | None,
        version: int | None,
        now: float,
    ) -> None:
        self.messages["acked"] += 1
        planned_ns = self._planned.pop(message, None)
        number = self.conversations.get(conversation)
        if planned_ns is not None:
            self._totals.add("SEND", "acknowledge", now - planned_ns / 1e9)
            if number is not None:
                self.owed.promise(planned_ns, self._audience(number))
        if version is not None and version > client.version + 1:
            self._held_back.add((client.index, version))
        self._row(
            now, schema.Event.ACKED, client, message=message,
            conversation=number, sequence=sequence, version=version,
        )  # fmt: skip

    def _messages_of(self, first: int) -> range:
        return range(first, first + self._packages.get(first, 1))

    def _rejected(self, client: Client, event: events.Rejected, now: float) -> None:
        first = _message(client, event.cid)
        for message in self._messages_of(first):
            self.messages["rejected"] += 1
            self._planned.pop(message, None)
            self._totals.fail("SEND", "acknowledge", f"{event.code} {event.text}")
            self._row(now, schema.Event.REJECTED, client, message=message, code=event.code)
        self._packages.pop(first, None)

    # -- inbox --

    def _delivered(self, client: Client, event: events.Delivered, now: float) -> None:
        if event.via == "sent":
            self._held_back.discard((client.index, event.entry.version))
            return  # the sender's own message, placed by its SENT: the acked row says all of it
        letter = self._entry_row(client, schema.Event.DELIVERED, event.entry, event.via, event.attempt, now)
        if letter is not None:
            self.messages["delivered"] += 1
            self.owed.keep(letter.planned_ns)
            self._totals.add("RECV", "deliver", now - letter.planned_ns / 1e9)
            if self.on_delivered is not None:
                self.on_delivered(client, event.entry, now)

    def _repeated(self, client: Client, event: events.Repeated, now: float) -> None:
        letter = self._entry_row(client, schema.Event.REPEATED, event.entry, event.via, event.attempt, now)
        if letter is not None:
            self.messages["repeated"] += 1

    def _entry_row(
        self, client: Client, kind: schema.Event, entry: Entry, via: str, attempt: int, now: float
    ) -> Letter | None:
        """Write the row, unless the acked row says as much; the letter when there is one to count."""
        sender, conversation = entry.sender, entry.conversation
        letter = self._stationery.read(entry.body, sender, conversation, entry.kind)
        if letter is None:
            foreign = self._stationery.is_foreign(entry.body, sender, conversation, entry.kind)
            message, code = None, schema.FOREIGN if foreign else schema.ALTERED
        elif letter.message >> 32 == client.index and letter.intact and self._is_echo(kind, letter, entry):
            return None
        else:
            message = letter.message
            code = schema.ALTERED if not letter.intact else attempt if attempt > 1 else 0
        self._row(
            now, kind, client, message=message, conversation=self.conversations.get(conversation),
            sequence=entry.sequence or None, version=entry.version or None, via=self._vias.get(via),
            code=code,
        )  # fmt: skip
        return letter

    def _is_echo(self, kind: schema.Event, letter: Letter, entry: Entry) -> bool:
        """Whether a device's own message is the one that its acknowledgement is about, not another copy: it
        came before the acknowledgement, or is shown now that its turn has come."""
        if kind is schema.Event.REPEATED or letter.message in self._planned:
            return True
        place = (letter.message >> 32, entry.version)
        if place in self._held_back:
            self._held_back.remove(place)
            return True
        return False

    def _gap_found(self, client: Client, event: events.GapFound, now: float) -> None:
        self._row(now, schema.Event.GAP, client, version=event.after)

    def _read_updated(self, client: Client, event: events.ReadUpdated, now: float) -> None:
        number = self.conversations.get(event.conversation)
        if number is not None:
            self._row(now, schema.Event.READ, client, conversation=number, sequence=event.sequence)

    def _unread_changed(self, client: Client, event: events.UnreadChanged, now: float) -> None:
        self._row(now, schema.Event.UNREAD, client, sequence=event.total)
        for count in event.counts:
            number = self.conversations.get(count.conversation)
            if number is not None:
                self._row(now, schema.Event.UNREAD, client, conversation=number, sequence=count.unread)

    def _row(
        self,
        now: float,
        event: schema.Event,
        client: Client,
        *,
        message: int | None = None,
        conversation: int | None = None,
        sequence: int | None = None,
        version: int | None = None,
        via: int | None = None,
        code: int | None = None,
    ) -> None:
        self._add(
            int(now * 1e9), None, event, client.index, message, conversation, sequence, version, via, code
        )

    def _add(
        self,
        at_ns: int,
        planned_ns: int | None,
        event: schema.Event,
        device: int,
        message: int | None = None,
        conversation: int | None = None,
        sequence: int | None = None,
        version: int | None = None,
        via: int | None = None,
        code: int | None = None,
    ) -> None:
        try:
            self._ledger.add(
                at_ns, planned_ns, event, device, message, conversation, sequence, version, via, code
            )
        except LedgerError as error:
            self.broken = str(error)


def client_message_id(run: bytes, n: int) -> str:
    """The cid of a device's n-th message: unique for the device over all runs on the same accounts."""
    return f"{run.hex()}.{n}"


def _version(client: Client, version: int) -> int | None:
    """None where inboxes are not numbered."""
    return version if "versions" in client.endpoint.dialect.offers else None


def _message(client: Client, cid: str) -> int:
    return client.index << 32 | int(cid.rpartition(".")[2])


# Each handler takes just the event it is listed for, hence Any.
_HANDLERS: dict[type[Event], Callable[[Recorder, Client, Any, float], None]] = {
    events.Opened: Recorder._opened,
    events.LoggedIn: Recorder._logged_in,
    events.ConnectFailed: Recorder._connect_failed,
    events.Closed: Recorder._closed,
    events.Refused: Recorder._refused,
    events.GoneAway: Recorder._gone_away,
    events.ServerError: Recorder._server_error,
    events.BeatSent: Recorder._beat_sent,
    events.Beat: Recorder._beat,
    events.BeatMissed: Recorder._beat_missed,
    events.BeatAbandoned: Recorder._beat_abandoned,
    events.Retransmitted: Recorder._retransmitted,
    events.Acked: Recorder._acked,
    events.PackageAcked: Recorder._package_acked,
    events.Rejected: Recorder._rejected,
    events.Delivered: Recorder._delivered,
    events.Repeated: Recorder._repeated,
    events.GapFound: Recorder._gap_found,
    events.ReadUpdated: Recorder._read_updated,
    events.UnreadChanged: Recorder._unread_changed,
}
