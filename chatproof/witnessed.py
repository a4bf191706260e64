"""Packets for the report: what was on the wire around the moments that matter of captured connections."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from chaos.packets.diag import Flow
from chaos.packets.pcap import Packet, packets
from chaos.packets.segments import segment
from chaos.packets.witness import around
from chatproof.evidence import FLOWS
from ledger.evidence import device_names
from ledger.reader import Ledger
from ledger.run_folder import RunFolder
from scenarios.ports import PACKETS

VIEWS = "views.json"
_MOST_WITNESSES = 8
_MOST_ROWS = 40
_SLOWEST = 3
_FOR_EVER_NS = 1 << 62
_S = 1e9


class View(msgspec.Struct):
    """`rows`: a packet each, as text. `at_s` counts from the beginning of the run, as witnesses do."""

    about: str
    device: str
    connection: str
    at_s: float
    rows: list[str]


@dataclass(frozen=True, slots=True)
class _Connection:
    """A device's, from when it was made until it made the next one."""

    device: int
    from_ns: int
    until_ns: int
    flow: Flow


@dataclass(frozen=True, slots=True)
class _Moment:
    about: str
    device: int
    at_ns: int


def save_views(folder: RunFolder, summary: Mapping[str, Any]) -> list[View]:
    """packets/views.json has the packets around each witness of a check that failed, and around the slowest
    deliveries to devices whose connection was captured. Nothing happens where no packets are kept.

    Raises LedgerError, OSError.
    """
    place = folder.path / PACKETS
    if not (place / FLOWS).exists():
        return []
    told = json.loads((place / FLOWS).read_text())
    ahead_ns: int = told["wall_minus_monotonic_ns"]
    kept = list(packets(*(place / name for name in told["files"])))
    captured = {each.flow for each in map(segment, kept) if each is not None}
    connections = list(_connections(place, {(flow.address, flow.port): flow for flow in captured}))
    ledger = Ledger.open(folder)
    names = device_names(ledger, {each.device for each in connections})

    def seen(moments: Iterable[_Moment], most: int) -> list[View]:
        found = (_view(ledger, moment, connections, kept, names, ahead_ns) for moment in moments)
        return list(islice(filter(None, found), most))

    views = seen(_of_witnesses(ledger, summary, names), _MOST_WITNESSES)
    views += seen(_slowest(ledger, connections), _SLOWEST)
    (place / VIEWS).write_bytes(msgspec.json.format(msgspec.json.encode(views), indent=1))
    return views


def _connections(place: Path, flows: Mapping[tuple[str, int], Flow]) -> Iterator[_Connection]:
    """Those of which packets were kept."""
    made: dict[int, list[tuple[int, str, int]]] = {}
    for path in sorted(place.glob("ports-*.csv")):
        with path.open(newline="") as file:
            for row in csv.reader(file):
                if len(row) == 4:  # a run that was killed may end in the middle of a line
                    made.setdefault(int(row[1]), []).append((int(row[0]), row[2], int(row[3])))
    for device, ends in made.items():
        ends.sort()
        untils = [*(at_ns for at_ns, _, _ in ends[1:]), _FOR_EVER_NS]
        for (from_ns, address, port), until_ns in zip(ends, untils, strict=True):
            flow = flows.get((address, port))
            if flow is not None:
                yield _Connection(device, from_ns, until_ns, flow)


def _of_witnesses(ledger: Ledger, summary: Mapping[str, Any], names: Mapping[int, str]) -> Iterator[_Moment]:
    """When and where what failed would have happened: each captured device that a witness speaks of."""
    for check in summary["checks"].values():
        for witness in check.get("witnesses") or [] if check["verdict"] == "fail" else []:
            rows = [row for row in witness.get("rows") or [] if "at_s" in row]
            spoken_of = {row.get("device") for row in rows}
            for device, name in names.items():
                if rows and (name in spoken_of or name in _words(witness["text"])):
                    own = next((row for row in rows if row.get("device") == name), rows[-1])
                    at_ns = ledger.phases.start_ns + round(own["at_s"] * _S)
                    yield _Moment(witness["text"], device, at_ns)


def _words(text: str) -> set[str]:
    return {word.strip(",:;()") for word in text.split()}


def _slowest(ledger: Ledger, connections: Sequence[_Connection]) -> Iterator[_Moment]:
    """The deliveries over captured connections that took longest, the longest first."""
    spans = pl.LazyFrame(
        [(each.device, each.from_ns, each.until_ns) for each in connections],
        schema={"device": pl.Int32, "from_ns": pl.Int64, "until_ns": pl.Int64},
        orient="row",
    )
    sent = ledger.of("send").select("message", pl.col("planned_ns").alias("sent_ns"))
    slow = (
        ledger.of("delivered")
        .filter(pl.col("message").is_not_null())
        .select("message", "device", "at_ns")
        .join(spans, on="device")
        .filter(pl.col("at_ns").is_between("from_ns", "until_ns"))
        .join(sent, on="message")
        .select("message", "device", "at_ns", took_ns=pl.col("at_ns") - pl.col("sent_ns"))
        .sort("took_ns", descending=True)
        .head(_SLOWEST)
        .collect()
    )
    senders = device_names(ledger, {message >> 32 for message in slow["message"]})
    for message, device, at_ns, took_ns in slow.iter_rows():
        sender = senders.get(message >> 32, f"device {message >> 32}")
        text = f"message {message & 0xFFFFFFFF} of {sender} came {took_ns / 1e6:,.0f} ms after it was due"
        yield _Moment(text, device, at_ns)


def _view(
    ledger: Ledger,
    moment: _Moment,
    connections: Iterable[_Connection],
    kept: list[Packet],
    names: Mapping[int, str],
    ahead_ns: int,
) -> View | None:
    """None if no packets of the device were kept then."""
    own = [
        each.flow
        for each in connections
        if each.device == moment.device and each.from_ns <= moment.at_ns < each.until_ns
    ]
    if not own:
        return None
    rows = [str(row) for row in around(kept, own[0], moment.at_ns + ahead_ns, most=_MOST_ROWS)]
    at_s = (moment.at_ns - ledger.phases.start_ns) / _S
    return View(moment.about, names[moment.device], str(own[0]), round(at_s, 6), rows) if rows else None
