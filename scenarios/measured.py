"""The metrics of a swarm: at `--metrics-port` of a run, on Locust's web port, and OTLP where it is asked for.

Everything is what the conductor and Locust's statistics have summed up already, a second old at most.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from locust.env import Environment
from locust.stats import StatsEntry
from locust.web import WebUI

from metrics.exposition import CONTENT_TYPE, exposition
from metrics.metric import Distribution, Family, Kind, Point, describe
from metrics.serving import PATH
from scenarios.parts import conductor_of

_P = "chatproof_swarm_"
_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_TIMED = {
    "deliver": ("RECV", "deliver"),
    "acknowledge": ("SEND", "acknowledge"),
    "heartbeat": ("BEAT", "heartbeat"),
    "login": ("CONN", "login"),
    "reconnect": ("CONN", "reconnect"),
}
"""Method and name that Locust's statistics have for what is timed."""

PROCESSES = describe(f"{_P}processes", Kind.GAUGE, "Swarm processes that report.")
CONNECTIONS = describe(f"{_P}connections", Kind.GAUGE, "Connections logged in now.")
PLANNED = describe(f"{_P}connections_planned", Kind.GAUGE, "Connections that should be.")
CONNECTS = describe(
    f"{_P}connects_total", Kind.COUNTER,
    "Connections opened, tries that failed, and connections dropped against the device's will.", ["outcome"],
)  # fmt: skip
MESSAGES = describe(
    f"{_P}messages_total", Kind.COUNTER,
    "Messages sent, acknowledged (acked), rejected, retransmitted; deliveries shown (delivered), and "
    "kept from the application because they came again (repeated).",
    ["outcome"],
)  # fmt: skip
SENDS = describe(
    f"{_P}sends_total", Kind.COUNTER, "Sends that the load model planned, that were started, that were late.",
    ["outcome"],
)  # fmt: skip
EXPECTED = describe(
    f"{_P}deliveries_expected_total", Kind.COUNTER, "Deliveries that are due for acknowledged messages."
)
OWED = describe(
    f"{_P}deliveries_owed", Kind.GAUGE,
    "Deliveries that are due and have not happened: in flight, or lost so far (overdue).", ["state"],
)  # fmt: skip
HEARTBEATS = describe(
    f"{_P}heartbeats_total", Kind.COUNTER, "Heartbeats due, sent, answered, late, missed, abandoned.",
    ["outcome"],
)  # fmt: skip
LATENCY = describe(
    f"{_P}latency_seconds", Kind.HISTOGRAM,
    "How long what went well took; of messages from the planned send.", ["what"], _BOUNDS_S,
)  # fmt: skip
ERRORS = describe(f"{_P}errors_total", Kind.COUNTER, "What did not go well.", ["what"])
FAULT = describe(f"{_P}fault_active", Kind.GAUGE, "1 for each fault that is on now.", ["fault"])
LAG = describe(f"{_P}loop_lag_seconds", Kind.GAUGE, "By how much the slowest process looked too late.")
CPU = describe(f"{_P}busiest_process_cpu_ratio", Kind.GAUGE, "Of one core, what the busiest process used.")
MEMORY = describe(f"{_P}resident_memory_bytes", Kind.GAUGE, "Memory of all swarm processes together.")


def measured(environment: Environment, totals: Mapping[str, Any], faults: Sequence[str]) -> list[Family]:
    """`totals`: as of the conductor; `faults`: the names of those that are on."""
    owed, health = totals["deliveries"], totals["health"]
    overdue = owed.get("overdue", 0)
    return [
        PROCESSES.value(totals["processes"]),
        CONNECTIONS.value(totals["connections"]),
        PLANNED.value(totals["target"]),
        CONNECTS.of(*_points(totals["connects"])),
        MESSAGES.of(*_points(totals["messages"])),
        SENDS.of(*_points(totals["sends"])),
        EXPECTED.value(owed.get("expected", 0)),
        OWED.of(Point(("in_flight",), owed.get("owed", 0) - overdue), Point(("overdue",), overdue)),
        HEARTBEATS.of(*_points(totals["beats"])),
        LATENCY.of(*_latencies(environment)),
        ERRORS.of(*_errors(environment)),
        FAULT.of(*(Point((name,), 1) for name in dict.fromkeys(faults))),
        LAG.value(health["loop_lag_ms"] / 1000),
        CPU.value(health["cpu_share"]),
        MEMORY.value(health["rss_bytes"]),
    ]


def _points(counts: Mapping[str, float]) -> list[Point]:
    return [Point((name,), count) for name, count in counts.items()]


def _latencies(environment: Environment) -> list[Distribution]:
    entries = environment.stats.entries
    return [
        LATENCY.spread(_went_well(entries[name, method]), what)
        for what, (method, name) in _TIMED.items()
        if (name, method) in entries
    ]


def _went_well(entry: StatsEntry) -> dict[float, int]:
    """How often how many seconds: Locust enters 0 for whatever went wrong."""
    times = dict(entry.response_times)
    times[0] = max(0, times.get(0, 0) - entry.num_failures)
    return {milliseconds / 1000: count for milliseconds, count in times.items() if count}


def _errors(environment: Environment) -> list[Point]:
    return [
        Point((name,), entry.num_failures)
        for (name, _), entry in sorted(environment.stats.entries.items())
        if entry.num_failures
    ]


def offer(environment: Environment, web_ui: WebUI | None = None, **_: Any) -> None:
    """/metrics is on Locust's web port, if it has one; where people have to log in, so has who reads it."""
    if web_ui is None:
        return

    def answer() -> Response:
        conductor = conductor_of(environment)
        faults = [] if conductor.desk is None else conductor.desk.active()
        text = exposition(measured(environment, conductor.totals(), faults))
        return Response(text, content_type=CONTENT_TYPE)

    assert web_ui.app is not None
    path = f"{getattr(environment.parsed_options, 'web_base_path', None) or ''}{PATH}"
    web_ui.app.add_url_rule(path, "chatproof_metrics", web_ui.auth_required_if_enabled(answer))
