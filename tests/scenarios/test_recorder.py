"""Each event of a client becomes the right row, count and total."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from locust.stats import RequestStats

from drivers import events
from drivers.dialects import chat
from drivers.events import CloseReason
from ledger import schema
from ledger.errors import LedgerError
from ledger.histograms import Histograms
from ledger.writer import LedgerWriter
from protocol.messages import Entry, Placed, UnreadOf
from scenarios.letters import Stationery
from scenarios.recorder import _CLOSE_CODES, Recorder, client_message_id
from scenarios.totals import Totals

RUN = b"run1"
NOW = 100.0
ALICE, BOB = 3, 4  # devices
PAIR = "u1:u2"
MESSAGE = ALICE << 32 | 7


ENDPOINT = SimpleNamespace(label="tcp:1", dialect=chat.DIALECT)


class Desk:
    """A recorder and what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.stats = RequestStats()
        self.ledger = LedgerWriter(folder, "swarm-1")
        self.totals = Totals(self.stats)
        self.histograms = Histograms()
        self.recorder = Recorder(self.ledger, self.histograms, self.totals, Stationery(RUN))
        self.recorder.conversations[PAIR] = 11
        self.shown: list[Entry] = []
        self.recorder.on_delivered = lambda client, entry, now: self.shown.append(entry)

    def hear(self, event: events.Event, device: int = BOB, **client: Any) -> None:
        given = {"version": 0, "lost_at": None, "failures": 0, "endpoint": ENDPOINT}
        self.recorder.observe(SimpleNamespace(index=device, **(given | client)), event, NOW)  # type: ignore[arg-type]

    def rows(self) -> list[dict[str, Any]]:
        """Without times and without what is not there."""
        self.ledger.close()
        frame = pl.read_parquet(self.ledger.parquet_path).drop("at_ns")
        return [{name: value for name, value in row.items() if value is not None} for row in frame.to_dicts()]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Requests and failures by name, as Locust shows them."""
        self.totals.flush(self.histograms.flush())
        return {
            name: (each.num_requests, each.num_failures) for (name, _), each in self.stats.entries.items()
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.close()


def entry(*, message: int = MESSAGE, run: bytes = RUN, version: int = 5, alter: int | None = None) -> Entry:
    body = bytearray(Stationery(run).write(message, int(99 * 1e9), "u1", PAIR, "text", 80))
    if alter is not None:
        body[alter] ^= 1
    return Entry(version, 900, PAIR, 4, "u1", "text", bytes(body), 0)


def acked(n: int = 7, version: int = 1, *, repeat: bool = False) -> events.Acked:
    return events.Acked(client_message_id(RUN, n), 900, PAIR, 4, version, 0, 1, repeat)


_PLACE = {"device": BOB, "conversation": 11, "sequence": 4, "version": 5}

ROWS: dict[str, tuple[events.Event, dict[str, Any]]] = {
    "login": (
        events.LoggedIn("u1", 1, 9, 30.0, (), "tcp:1"),
        {"event": "login", "device": BOB, "version": 9, "via": "tcp:1", "code": 1},
    ),
    "connect failed": (
        events.ConnectFailed("tcp:1", "refused"),
        {"event": "connect_failed", "device": BOB, "via": "tcp:1"},
    ),
    "refused": (events.Refused(401, "no"), {"event": "refused", "device": BOB, "code": 401}),
    "replaced": (events.GoneAway("replaced", 0), {"event": "gone_away", "device": BOB, "code": 1}),
    "draining": (events.GoneAway("draining", 0), {"event": "gone_away", "device": BOB, "code": 0}),
    "retransmitted": (
        events.Retransmitted(client_message_id(RUN, 7), 2),
        {"event": "retransmit", "device": BOB, "message": BOB << 32 | 7, "code": 2},
    ),
    "acknowledged": (
        acked(),
        {"event": "acked", **_PLACE, "message": BOB << 32 | 7, "version": 1},
    ),
    "rejected": (
        events.Rejected(client_message_id(RUN, 7), 403, "no"),
        {"event": "rejected", "device": BOB, "message": BOB << 32 | 7, "code": 403},
    ),
    "pushed": (
        events.Delivered(entry(), "push"),
        {"event": "delivered", **_PLACE, "message": MESSAGE, "via": "push", "code": 0},
    ),
    "pushed again": (
        events.Delivered(entry(), "push", 3),
        {"event": "delivered", **_PLACE, "message": MESSAGE, "via": "push", "code": 3},
    ),
    "pulled": (
        events.Delivered(entry(), "pull"),
        {"event": "delivered", **_PLACE, "message": MESSAGE, "via": "pull", "code": 0},
    ),
    "repeated": (
        events.Repeated(entry(), "push", 2),
        {"event": "repeated", **_PLACE, "message": MESSAGE, "via": "push", "code": 2},
    ),
    "altered": (
        events.Delivered(entry(alter=-1), "push"),
        {"event": "delivered", **_PLACE, "message": MESSAGE, "via": "push", "code": schema.ALTERED},
    ),
    "altered beyond recognition": (
        events.Delivered(entry(alter=0), "push"),
        {"event": "delivered", **_PLACE, "via": "push", "code": schema.ALTERED},
    ),
    "of another run": (
        events.Delivered(entry(run=b"old."), "pull"),
        {"event": "delivered", **_PLACE, "via": "pull", "code": schema.FOREIGN},
    ),
    "gap": (events.GapFound(5, 9), {"event": "gap", "device": BOB, "version": 5}),
    "read": (
        events.ReadUpdated(PAIR, 4, 0, 0),
        {"event": "read", "device": BOB, "conversation": 11, "sequence": 4},
    ),
    **{
        f"closed: {reason}": (
            events.Closed(reason, "", True),
            {"event": "closed", "device": BOB, "via": "tcp:1", "code": int(_CLOSE_CODES[reason])},
        )
        for reason in CloseReason
    },
}


@pytest.mark.parametrize("name", ROWS)
def test_an_event_is_one_row(name: str, desk: Desk) -> None:
    event, row = ROWS[name]
    desk.hear(event)
    assert desk.rows() == [row]


def test_unread_counts_are_a_total_and_a_row_each(desk: Desk) -> None:
    desk.hear(events.UnreadChanged(7, (UnreadOf(PAIR, 4), UnreadOf("u8:u9", 3))))
    assert desk.rows() == [
        {"event": "unread", "device": BOB, "sequence": 7},
        {"event": "unread", "device": BOB, "conversation": 11, "sequence": 4},
    ]


def test_a_send_is_a_row_with_the_time_it_was_planned_for(desk: Desk) -> None:
    desk.recorder.sending(MESSAGE, 42, 11)
    assert desk.rows() == [
        {"event": "send", "device": ALICE, "message": MESSAGE, "conversation": 11, "planned_ns": 42}
    ]


def test_only_what_was_shown_for_the_first_time_is_told_and_counted(desk: Desk) -> None:
    desk.hear(events.Delivered(entry(), "push"))
    desk.hear(events.Repeated(entry(), "push"))
    desk.hear(events.Delivered(entry(run=b"old."), "pull"))
    assert desk.shown == [entry()]
    assert desk.counts() == {"deliver": (1, 0)}
    assert (desk.recorder.messages["delivered"], desk.recorder.messages["repeated"]) == (1, 1)


Story = Callable[[Desk], None]


def _own_by_its_acknowledgement(desk: Desk) -> None:
    desk.hear(acked(), ALICE)
    desk.hear(events.Delivered(entry(version=1), "sent"), ALICE)


def _own_pulled_before_its_acknowledgement(desk: Desk) -> None:
    desk.hear(events.Delivered(entry(version=1), "pull"), ALICE)
    desk.hear(acked(), ALICE, version=1)
    desk.hear(events.Repeated(entry(version=1), "sent"), ALICE)


def _own_held_back_until_a_hole_was_filled(desk: Desk) -> None:
    desk.hear(acked(version=9), ALICE, version=3)
    desk.hear(events.Delivered(entry(version=9), "pull"), ALICE)


def _own_pulled_once_more(desk: Desk) -> None:
    desk.hear(acked(), ALICE)
    desk.hear(events.Repeated(entry(version=1), "pull"), ALICE)


@pytest.mark.parametrize(
    "story",
    [
        _own_by_its_acknowledgement,
        _own_pulled_before_its_acknowledgement,
        _own_held_back_until_a_hole_was_filled,
        _own_pulled_once_more,
    ],
)
def test_a_devices_own_message_is_in_its_acknowledgement_alone(desk: Desk, story: Story) -> None:
    desk.recorder.sending(MESSAGE, 1, 11)
    story(desk)
    assert [row["event"] for row in desk.rows()] == ["send", "acked"]


@pytest.mark.parametrize("story", [_own_by_its_acknowledgement, _own_held_back_until_a_hole_was_filled])
def test_a_second_copy_of_its_own_message_is_a_row(desk: Desk, story: Story) -> None:
    desk.recorder.sending(MESSAGE, 1, 11)
    story(desk)
    desk.hear(events.Delivered(entry(version=10), "pull"), ALICE)
    row = desk.rows()[-1]
    assert (row["event"], row["device"], row["message"], row["version"]) == ("delivered", ALICE, MESSAGE, 10)


def test_its_own_message_altered_is_a_row(desk: Desk) -> None:
    desk.recorder.sending(MESSAGE, 1, 11)
    desk.hear(events.Delivered(entry(alter=-1), "pull"), ALICE)
    assert desk.rows()[-1]["code"] == schema.ALTERED


def test_an_acknowledgement_counts_once(desk: Desk) -> None:
    desk.recorder.sending(MESSAGE, int(99 * 1e9), 11)
    desk.hear(acked(), ALICE)
    desk.hear(acked(repeat=True), ALICE)
    assert (desk.recorder.messages["acked"], desk.counts()) == (1, {"acknowledge": (1, 0)})
    assert [row["event"] for row in desk.rows()] == ["send", "acked"]


def test_connections_are_counted_as_they_come_and_go(desk: Desk) -> None:
    login = events.LoggedIn("u1", 1, 9, 30.0, (), "tcp:1")
    for device in range(3):
        desk.hear(events.Opened("tcp:1"), device)
        desk.hear(login, device)
    desk.hear(events.Closed(CloseReason.RESET, "", True), 0)
    desk.hear(events.Closed(CloseReason.LEFT, "", True), 1)
    desk.hear(events.Closed(CloseReason.LOGIN_TIMEOUT, "", False), 7)
    desk.hear(events.ConnectFailed("tcp:1", "refused"), 8)
    recorder = desk.recorder
    assert (recorder.opened, recorder.online, recorder.dropped, recorder.failed) == (3, 1, 1, 1)
    assert desk.counts() == {"login": (3, 0), "connect": (1, 1)}


def test_heartbeats_are_counts_and_no_rows(desk: Desk) -> None:
    for event in (events.BeatSent(0.0), events.Beat(0.1, 0, 1), events.BeatSent(0.0), events.Beat(6.0, 0, 1),
                  events.BeatSent(0.0), events.BeatMissed(), events.BeatSent(0.0),
                  events.BeatAbandoned()):  # fmt: skip
        desk.hear(event)
    beats = desk.recorder.beats
    assert beats == {"due": 4, "sent": 4, "answered": 2, "late": 1, "missed": 1, "abandoned": 1}
    assert desk.counts() == {"heartbeat": (3, 1)}
    assert desk.rows() == []


def test_a_ledger_that_cannot_be_written_is_noted_and_nothing_is_raised(desk: Desk) -> None:
    def fail(*_: object) -> None:
        raise LedgerError("no space")

    desk.ledger.add = fail  # type: ignore[method-assign]
    desk.hear(events.GapFound(5, 9))
    assert desk.recorder.broken == "no space"


def test_each_message_of_a_package_has_rows_of_its_own(desk: Desk) -> None:
    desk.recorder.sending(MESSAGE, int(99 * 1e9), 11, 3)
    desk.hear(events.Retransmitted(client_message_id(RUN, 7), 2), ALICE)
    placed = (Placed(900, 4), Placed(901, 5), Placed(902, 6))
    desk.hear(events.PackageAcked(client_message_id(RUN, 7), PAIR, placed, 9, 0, 2), ALICE)
    assert (desk.recorder.messages["sent"], desk.recorder.messages["acked"]) == (3, 3)
    assert desk.counts() == {"acknowledge": (3, 0)}
    rows = desk.rows()
    assert [(row["message"] - MESSAGE, row["code"]) for row in rows if row["event"] == "send"] == [
        (0, 0), (1, 1), (2, 2),
    ]  # fmt: skip
    assert [row["message"] - MESSAGE for row in rows if row["event"] == "retransmit"] == [0, 1, 2]
    assert [
        (row["message"] - MESSAGE, row["sequence"], row["version"]) for row in rows if row["event"] == "acked"
    ] == [(0, 4, 7), (1, 5, 8), (2, 6, 9)]


def test_a_refused_package_is_refused_message_by_message(desk: Desk) -> None:
    desk.recorder.sending(MESSAGE, int(99 * 1e9), 11, 2)
    desk.hear(events.Rejected(client_message_id(RUN, 7), 403, "no"), ALICE)
    assert [row["message"] - MESSAGE for row in desk.rows() if row["event"] == "rejected"] == [0, 1]
