"""What one run shows of its costs: the load that was carried, and what server and swarm took for it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from ledger.figures import Costs
from reports.evidence import Evidence

FRAMES_AN_EXCHANGE = 2
"""A heartbeat and its answer, a send and SENT, a push and its acknowledgement."""


class Side(msgspec.Struct, frozen=True):
    """Server or swarm: processor cores kept busy during the load, resident bytes at the peak, and what a
    connection took of them (own memory of the processes). None: not seen."""

    cores: float | None = None
    rss_bytes: int | None = None
    bytes_a_connection: int | None = None


class Observed(msgspec.Struct, frozen=True):
    """Of the load alone, a second each: heartbeats answered, messages acknowledged, deliveries, and frames
    in both directions that these took. `kernel_bytes_an_end`: what the kernel holds for one end of a
    connection. `wire_*_bytes`: with headers, both directions, all that a message caused. None: not known."""

    connections: int
    load_s: float
    heartbeat_s: float | None
    heartbeats_a_second: float
    messages_a_second: float
    deliveries_a_second: float
    frames_a_second: float
    server: Side
    swarm: Side
    kernel_bytes_an_end: float | None
    wire_heartbeat_bytes: float | None
    wire_message_bytes: float | None
    machine_cores: int | None
    machine_memory_bytes: int | None
    overloaded: bool


def observe(evidence: Evidence, summary: Mapping[str, Any]) -> Observed | None:
    """None for a run without a load, a summary or connections."""
    load_s, connections = evidence.load_s, (summary.get("connections") or {}).get("peak", 0)
    if not load_s or not connections:
        return None
    phases, environment = evidence.ledger.phases, evidence.ledger.environment
    end_ns = phases.load_end_ns or int(evidence.span_s[1] * 1e9) + evidence.zero_ns
    during = pl.col("at_ns").is_between(phases.load_start_ns, end_ns)
    samples = evidence.ledger.samples.filter(during)
    beats = Costs.of(samples, "generator").spans("beats_answered")
    acked = evidence.sends.filter(pl.col("acked_ns").is_between(phases.load_start_ns, end_ns)).height
    delivered = evidence.first_deliveries.filter(during).height
    machine = environment.get("machine") or {}
    wire = summary.get("wire") or {}
    server = _side(samples, summary, "server", load_s)
    return Observed(
        connections=connections,
        load_s=load_s,
        heartbeat_s=environment.get("heartbeat_s"),
        heartbeats_a_second=beats / load_s,
        messages_a_second=acked / load_s,
        deliveries_a_second=delivered / load_s,
        frames_a_second=FRAMES_AN_EXCHANGE * (beats + acked + delivered) / load_s,
        server=server,
        swarm=_side(samples, summary, "generator", load_s),
        kernel_bytes_an_end=_kernel(summary, 2 if server.cores is not None else 1),
        wire_heartbeat_bytes=(wire.get("heartbeat") or {}).get("bytes"),
        wire_message_bytes=(wire.get("message") or {}).get("bytes"),
        machine_cores=machine.get("cores"),
        machine_memory_bytes=machine.get("memory_bytes"),
        overloaded=not summary.get("latency_valid", True),
    )


def _side(samples: pl.DataFrame, summary: Mapping[str, Any], role: str, load_s: float) -> Side:
    told = summary.get(role) or {}
    if not told.get("processes"):
        return Side()
    bytes_a_connection = told.get("bytes_per_connection")
    return Side(
        cores=Costs.of(samples, role).spans("cpu_s") / load_s,
        rss_bytes=told.get("rss_bytes"),
        # Memory that shrank while connections came says nothing of what one takes.
        bytes_a_connection=bytes_a_connection if (bytes_a_connection or 0) > 0 else None,
    )


def _kernel(summary: Mapping[str, Any], ends: int) -> float | None:
    held = (summary.get("machine") or {}).get("kernel_bytes_per_connection")
    return held / ends if held and held > 0 else None
