"""What a connection, a heartbeat and a message are on the wire: payload, and headers of TCP and IP with it.

From the connections that `scenarios.wire` looks at, both directions added up, under load only. A heartbeat is
the least that a good part of the seconds with just one heartbeat in them had: the others had a message in
them as well, and a few were cut between the heartbeat and its answer. What heartbeats do not explain is
shared out among the messages that were acknowledged, and so holds pushes to every device, acknowledgements,
reads and pulls.
"""

from bisect import bisect_right
from operator import itemgetter
from typing import Any

import polars as pl

from ledger.figures import by_second
from ledger.reader import Ledger

_ALIKE_BYTES, _ALIKE_SHARE = 6, 0.05
"""By how much heartbeats may differ in payload: some carry a number, such as the newest version."""
_LEAST_SEEN, _LEAST_SHARE = 5, 0.15
"""Of seconds with one heartbeat: how many, and which share, must have been alike to be believed."""
NOTHING: dict[str, Any] = {
    "sampled_connection_s": 0.0,
    "bytes_per_connection_s": None,
    "payload_bytes_per_connection_s": None,
    "heartbeat": {"seen": 0, "payload_bytes": None, "bytes": None},
    "message": {"payload_bytes": None, "bytes": None},
}


def on_the_wire(ledger: Ledger) -> dict[str, Any]:
    """Keys as of NOTHING, which is returned where nothing was looked at; `seen`: heartbeats that were alike.

    `message` is None where there were no messages, or heartbeats could not be told apart from them.
    """
    phases = ledger.phases
    load = ledger.samples.filter(pl.col("at_ns").is_between(phases.load_start_ns, phases.load_end_ns))
    load = load.filter(pl.col("wire_connection_s").is_not_null())
    sampled_s = _grown(load, "wire_connection_s")
    if not sampled_s:
        return NOTHING
    payload = (_grown(load, "wire_out_bytes") + _grown(load, "wire_in_bytes")) / sampled_s
    whole = payload + _grown(load, "wire_header_bytes") / sampled_s
    seen, beat_payload, beat_whole = _heartbeat(load["wire_beats"].drop_nulls().to_list())
    connection_s = float(by_second(load, "connections")["connections"].sum())
    beats = _grown(load, "beats_answered") / connection_s if connection_s else 0.0
    messages = _acknowledged(ledger) / connection_s if connection_s else 0.0
    told_apart = messages > 0 and (beat_whole is not None or not beats)
    return {
        "sampled_connection_s": round(sampled_s, 1),
        "bytes_per_connection_s": round(whole, 3),
        "payload_bytes_per_connection_s": round(payload, 3),
        "heartbeat": {"seen": seen, "payload_bytes": beat_payload, "bytes": beat_whole},
        "message": {
            "payload_bytes": _left(payload, beats, beat_payload, messages) if told_apart else None,
            "bytes": _left(whole, beats, beat_whole, messages) if told_apart else None,
        },
    }


def _left(total: float, beats: float, beat_bytes: int | None, messages: float) -> float:
    return round(max(0.0, total - beats * (beat_bytes or 0)) / messages, 1)


def _heartbeat(texts: list[str]) -> tuple[int, int | None, int | None]:
    """How many were alike, and their payload and whole bytes; None where too few were."""
    found = sorted(
        (out_bytes + in_bytes, header_bytes)
        for text in texts
        for one in text.split(";")
        if one
        for out_bytes, in_bytes, header_bytes in [map(int, one.split(","))]
    )
    enough = max(_LEAST_SEEN, _LEAST_SHARE * len(found))
    most = 0
    for begin, (least, _) in enumerate(found):
        until = least + max(_ALIKE_BYTES, _ALIKE_SHARE * least)
        alike = found[begin : bisect_right(found, until, begin, key=itemgetter(0))]
        if len(alike) >= enough:
            break
        most = max(most, len(alike))
    else:
        return most, None, None
    payload = round(sum(payload for payload, _ in alike) / len(alike))
    header = round(sum(header for _, header in alike) / len(alike))
    return len(alike), payload, payload + header


def _acknowledged(ledger: Ledger) -> int:
    phases = ledger.phases
    during = pl.col("at_ns").is_between(phases.load_start_ns, phases.load_end_ns)
    return int(ledger.of("acked").filter(during).select(pl.len()).collect(engine="streaming").item())


def _grown(samples: pl.DataFrame, column: str) -> float:
    grown = samples.group_by("process", "pid").agg(grown=pl.col(column).max() - pl.col(column).min())
    return float(grown["grown"].sum())
