"""Who was there: for each witness a lane a device, with its connection, its path, and what it did and saw."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from reports.evidence import Evidence
from reports.figures import milliseconds
from reports.palette import BLUE, GREY, INK, MUTED, ROUTE_COLOURS, VERMILLION
from reports.telling import Telling

MOST_LANES = 8
_PAD, _LEAST_PAD_S = 0.15, 0.1
_EVENTS = {
    "send": ("sent", "circle", INK),
    "retransmit": ("sent again", "circle", GREY),
    "acked": ("acknowledged", "diamond", MUTED),
    "rejected": ("rejected", "cross", VERMILLION),
    "delivered": ("shown", "triangle", BLUE),
    "repeated": ("came again, kept back", "ring", GREY),
    "closed": ("closed", "cross", VERMILLION),
    "connect_failed": ("connect failed", "cross", VERMILLION),
    "login": ("logged in", "bar", INK),
}

Row = Mapping[str, Any]
Connection = tuple[float, float, str]
"""From when to when (seconds since the load began), over which path."""


@dataclass(frozen=True, slots=True)
class Span:
    """A connection, in percent of the lane, with the path it took."""

    left: float
    width: float
    path: str


@dataclass(frozen=True, slots=True)
class Dot:
    """Something that a device did or saw. `shape`: circle, ring, diamond, triangle, bar or cross."""

    left: float
    word: str
    shape: str
    colour: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A device. `silent`: it is a party and in no row."""

    device: str
    spans: tuple[Span, ...]
    dots: tuple[Dot, ...]
    silent: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lanes over one time, `start` to `end` (marked texts); `bands`: left, width, label and colour of faults;
    `paths`: by row, over what its device was connected then (None: it was not); `left_out`: more devices."""

    lanes: tuple[Lane, ...]
    bands: tuple[tuple[float, float, str, str], ...]
    start: str
    end: str
    paths: tuple[str | None, ...]
    left_out: str

    @property
    def dots(self) -> list[Dot]:
        """One of each kind, for the legend."""
        return list({dot.word: dot for lane in self.lanes for dot in lane.dots}.values())


@dataclass(frozen=True, slots=True)
class _Parties:
    """Devices of all witnesses: by name, their names, their connections, and who is in a conversation."""

    numbers: dict[str, int]
    names: dict[int, str]
    connections: dict[int, list[Connection]]
    audiences: dict[str, list[int]]


def timelines(evidence: Evidence, witnesses: Sequence[Sequence[Row]], tell: Telling) -> list[Timeline | None]:
    """One for each witness (rows with `at_s` since the load began, `device`, `conversation`); None for one
    with a row that has no time or no device."""
    parties = _parties(evidence, [row for rows in witnesses for row in rows])
    return [
        _timeline(evidence, rows, parties, tell, nth)
        if rows and all("at_s" in row and row.get("device") in parties.numbers for row in rows)
        else None
        for nth, rows in enumerate(witnesses)
    ]


def _parties(evidence: Evidence, rows: Sequence[Row]) -> _Parties:
    ledger = evidence.ledger
    conversations = {row["conversation"] for row in rows if isinstance(row.get("conversation"), str)}
    named = ledger.devices.select("device", "user", name=pl.format("{}/{}", "user_id", "device_id"))
    members = ledger.conversations.filter(pl.col("name").is_in(sorted(conversations))).rename({"name": "of"})
    present = members.join(ledger.members, on="conversation").join(named, on="user").sort("device")
    audiences: dict[str, list[int]] = {name: [] for name in conversations}
    for conversation, device in present.select("of", "device").iter_rows():
        audiences[conversation].append(device)
    told = sorted({row["device"] for row in rows if isinstance(row.get("device"), str)})
    known = named.filter(pl.col("name").is_in(told) | pl.col("device").is_in(present["device"].implode()))
    names = dict(known.select("device", "name").iter_rows())
    numbers = {name: device for device, name in names.items()}
    return _Parties(numbers, names, _connections(evidence, names), audiences)


def _connections(evidence: Evidence, devices: Iterable[int]) -> dict[int, list[Connection]]:
    """Of each device, in order; one that was not closed lasts to the end of the run."""
    found: dict[int, list[Connection]] = {device: [] for device in devices}
    rows = (
        evidence.ledger.of("login", "closed")
        .filter(pl.col("device").is_in(sorted(found)))
        .select(
            "device",
            pl.col("event").cast(pl.String),
            pl.col("via").cast(pl.String).fill_null("unknown"),
            t=evidence.seconds("at_ns"),
        )
        .collect()
        .sort("t", maintain_order=True)
    )
    open_until = evidence.span_s[1] + 1
    for device, event, via, t in rows.iter_rows():
        spans = found[device]
        if spans and spans[-1][1] == open_until:
            spans[-1] = (spans[-1][0], t, spans[-1][2])
        if event == "login":
            spans.append((t, open_until, via))
    return found


def _timeline(
    evidence: Evidence, rows: Sequence[Row], parties: _Parties, tell: Telling, nth: int
) -> Timeline:
    first, last = min(row["at_s"] for row in rows), max(row["at_s"] for row in rows)
    pad = max((last - first) * _PAD, _LEAST_PAD_S)
    low, high = first - pad, last + pad

    def place(t: float) -> float:
        return float(round(100 * (min(max(t, low), high) - low) / (high - low), 2))

    listed = dict.fromkeys(parties.numbers[row["device"]] for row in rows)
    for name in dict.fromkeys(row["conversation"] for row in rows if row.get("conversation")):
        listed |= dict.fromkeys(parties.audiences.get(name, []))
    devices = list(listed)
    more = len(devices) - MOST_LANES
    tell.note(f"{nth}.lanes", [parties.names[device] for device in devices[:MOST_LANES]])
    tell.note(f"{nth}.connected_over", sorted({path for d in devices for *_, path in parties.connections[d]}))
    return Timeline(
        lanes=tuple(_lane(parties, device, rows, (low, high), place) for device in devices[:MOST_LANES]),
        bands=tuple(
            (place(band.start_s), round(place(band.end_s) - place(band.start_s), 2), band.label, band.colour)
            for band in evidence.bands
            if band.start_s < high and band.end_s > low
        ),
        start=tell(f"{nth}.from_s", milliseconds, low),
        end=tell(f"{nth}.to_s", milliseconds, high),
        paths=tuple(_path(parties.connections[parties.numbers[row["device"]]], row["at_s"]) for row in rows),
        left_out=f"{tell.plural(f'{nth}.left_out', more, 'more device')} not drawn" if more > 0 else "",
    )


def _lane(
    parties: _Parties,
    device: int,
    rows: Sequence[Row],
    window: tuple[float, float],
    place: Callable[[float], float],
) -> Lane:
    low, high = window
    mine = [row for row in rows if parties.numbers[row["device"]] == device]
    spans = tuple(
        Span(place(begin), round(place(end) - place(begin), 2), path)
        for begin, end, path in parties.connections[device]
        if begin < high and end > low
    )
    return Lane(parties.names[device], spans, tuple(_dot(place(row["at_s"]), row) for row in mine), not mine)


def _dot(left: float, row: Row) -> Dot:
    event = str(row["event"])
    word, shape, colour = _EVENTS.get(event, (event.replace("_", " "), "ring", MUTED))
    if event == "delivered":
        again = row.get("via") == "push" and (row.get("code") or 0) >= 2
        route = "retransmitted" if again else str(row.get("via"))
        word, colour = f"shown, {route}", ROUTE_COLOURS.get(route, colour)
    return Dot(left, word, shape, colour)


def _path(connections: Sequence[Connection], at_s: float) -> str | None:
    """A moment counts as inside up to a millisecond beyond: the row of a close is of its connection."""
    return next((path for begin, end, path in connections if begin - 1e-3 <= at_s <= end + 1e-3), None)
