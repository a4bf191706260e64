"""The question of a planner, and each line of the arithmetic that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.capacity import arithmetic
from reports.capacity.costs import Costs
from reports.figures import bare, bits, cores, digits, exact, percent, rate, size
from reports.telling import Say

KERNEL_BYTES_AN_END = 3_900.0
WIRE_HEARTBEAT_BYTES = 220.0
FRAME_BYTES, BODY_BYTES = 120.0, 100.0
"""Where a run could not see them: as measured elsewhere (docs/architecture.md, docs/distributed.md)."""


@dataclass(frozen=True, slots=True)
class Input:
    """A number that the answer starts from. `asked`: of the reader; the others are measured or assumed, and
    `source` says which and from where. `unit`: what stands behind its field, in which it is `scale` times
    smaller."""

    name: str
    label: str
    value: float | None
    say: Say
    unit: str = ""
    source: str = ""
    asked: bool = False
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the answer: what it is, how it comes about, how it is said."""

    name: str
    label: str
    expression: str
    say: Say
    unit: str = ""


CONSTANTS = {"exchange": 2.0, "day_s": 86_400.0, "micro": 1e6, "byte_bits": 8.0}
"""Frames of an exchange; and names for what would be bare numbers in an expression."""

STEPS = (
    Step("heartbeats_a_second", "Heartbeats", "users / heartbeat_s", rate, "a second"),
    Step(
        "messages_a_second",
        "Messages, in the busiest second",
        "users * messages_a_day / day_s * peak_factor",
        rate,
        "a second",
    ),
    Step("deliveries_a_second", "Deliveries of them", "messages_a_second * fan_out", rate, "a second"),
    Step(
        "frames_a_second",
        "Frames: each of these and its answer",
        "exchange * (heartbeats_a_second + messages_a_second + deliveries_a_second)",
        rate,
        "a second",
    ),
    Step("busy_cores", "Processor cores busy", "frames_a_second * us_a_frame / micro", cores, "cores"),
    Step(
        "machines_for_cpu",
        "Machines for the processor",
        "ceil(busy_cores / (machine_cores * cpu_share))",
        exact,
        "machines",
    ),
    Step("memory_bytes", "Memory of connections", "users * (user_bytes + kernel_bytes)", size),
    Step(
        "machines_for_memory",
        "Machines for memory",
        "ceil(memory_bytes / (machine_bytes * memory_share - base_bytes))",
        exact,
        "machines",
    ),
    Step(
        "loaded_machines",
        "Whichever is more",
        "max(machines_for_cpu, machines_for_memory)",
        exact,
        "machines",
    ),
    Step("machines", "Machines in all", "loaded_machines + spare_machines", exact, "machines"),
    Step(
        "connections_a_machine", "Connections on each that is loaded", "ceil(users / loaded_machines)", exact
    ),
    Step(
        "beyond",
        "Of what was measured on one",
        "connections_a_machine / measured_connections",
        digits,
        "times",
    ),
    Step(
        "processes_a_machine",
        "Server processes on each, for their files",
        "ceil(connections_a_machine / connections_a_process)",
        exact,
        "processes",
    ),
    Step(
        "balancer_addresses",
        "Addresses of a balancer before each, for its ports",
        "ceil(connections_a_machine / ports_an_address)",
        exact,
        "addresses",
    ),
    Step(
        "wire_bits",
        "On the wire, both directions, in all",
        "(heartbeats_a_second * wire_heartbeat_bytes + messages_a_second * wire_message_bytes) * byte_bits",
        bits,
    ),
    Step("wire_bits_a_machine", "On the wire of each machine", "wire_bits / loaded_machines", bits),
    Step(
        "swarm_machines",
        "Swarm machines, to try it",
        "max(ceil(frames_a_second * swarm_us_a_frame / micro / (machine_cores * cpu_share)),"
        " ceil(users * (swarm_bytes + kernel_bytes) / (machine_bytes * memory_share - swarm_base_bytes)))",
        exact,
        "machines",
    ),
    Step(
        "swarm_addresses",
        "Source addresses on each of them",
        "ceil(users / swarm_machines / ports_a_source)",
        exact,
        "addresses",
    ),
)


def inputs(costs: Costs) -> tuple[Input, ...]:
    """What the answer starts from: the question first, then the machine, then costs and assumptions."""
    seen = costs.observed
    chatted = seen.messages_a_second > 0
    fan_out = seen.deliveries_a_second / seen.messages_a_second if chatted else 1.0
    where = "measured: one run" if costs.runs == 1 else "measured: a line through the steps"
    server, swarm = costs.server, costs.swarm
    message_bytes = (1 + fan_out) * (2 * FRAME_BYTES + BODY_BYTES)
    return (
        Input("users", "Users, a connection each", 10e6, exact, asked=True),
        Input("heartbeat_s", "Heartbeat every", 60.0, bare, "s", asked=True),
        Input("messages_a_day", "Messages of each a day", 40.0 if chatted else 0.0, bare, asked=True),
        Input("peak_factor", "Busiest second, of the day's mean", 3.0, bare, "times", asked=True),
        _seen("machine_cores", "Cores of a machine", seen.machine_cores, 4.0, digits, source=_AS_HERE),
        _seen("machine_bytes", "Memory of a machine", seen.machine_memory_bytes, 16e9, *_GB, source=_AS_HERE),
        Input(
            "cpu_share",
            "Of its processors, at most",
            0.5,
            percent,
            "%",
            "assumed: room for storms",
            scale=0.01,
        ),
        Input(
            "memory_share",
            "Of its memory, at most",
            0.7,
            percent,
            "%",
            "assumed: room for buffers",
            scale=0.01,
        ),
        Input("spare_machines", "Machines that may fail", 1.0, exact, source="assumed"),
        _found("us_a_frame", "Server CPU, a frame", server.us_a_frame, digits, "µs", where),
        _found("user_bytes", "Server memory, a connection", server.bytes_a_connection, size, "B", where),
        _found("base_bytes", "Server memory without any", server.base_bytes, size, "MB", where, 1e6),
        _kernel(seen.kernel_bytes_an_end),
        _seen("fan_out", "Deliveries of a message", fan_out if chatted else None, 1.0, digits),
        _wire("heartbeat", seen.wire_heartbeat_bytes, WIRE_HEARTBEAT_BYTES),
        _wire("message", seen.wire_message_bytes, message_bytes),
        Input("measured_connections", "Connections measured", float(seen.connections), exact, source=where),
        Input("connections_a_process", "Connections of a process", 18e3, exact, source="assumed: ulimit -n"),
        Input("ports_an_address", "Ports of a balancer's address", 28e3, exact, source=_PORTS),
        _found("swarm_us_a_frame", "Swarm CPU, a frame", swarm.us_a_frame, digits, "µs", where),
        _found("swarm_bytes", "Swarm memory, a connection", swarm.bytes_a_connection, size, "B", where),
        _found("swarm_base_bytes", "Swarm memory without any", swarm.base_bytes, size, "MB", where, 1e6),
        Input("ports_a_source", "Connections of a source address", 5e3, exact, source="as the swarm does it"),
    )


def answer(given: Mapping[str, float | None]) -> dict[str, float | None]:
    """The value of each step by name; None where an input that it needs is not known."""
    values: dict[str, float | None] = {**CONSTANTS, **given}
    for step in STEPS:
        value = arithmetic.compute(step.expression, values)
        # Less than nothing left on a machine: none of these will do, however many.
        values[step.name] = value if value is None or value >= 0 else None
    return {step.name: values[step.name] for step in STEPS}


def says() -> dict[str, Say]:
    """How constants and steps are said, by name."""
    known: dict[str, Any] = dict.fromkeys(CONSTANTS, exact)
    return known | {step.name: step.say for step in STEPS}


_AS_HERE = "as this one, which was measured"
_PORTS = "assumed: towards one server port, ip_local_port_range of Linux"
_STORMS, _BUFFERS = "assumed: room for storms", "assumed: room for buffers"
_GB: tuple[Say, str, float] = (size, "GB", 1e9)


def _kernel(held: float | None) -> Input:
    """The kernel gives nothing back: a machine that had connections before shows less than they take."""
    known = held if held is not None and held >= KERNEL_BYTES_AN_END else None
    source = "measured: its caches for sockets"
    label = "Kernel memory, an end of one"
    return _seen("kernel_bytes", label, known, KERNEL_BYTES_AN_END, size, "B", source=source)


def _wire(what: str, value: float | None, otherwise: float) -> Input:
    label = f"A {what} on the wire"
    return _seen(f"wire_{what}_bytes", label, value, otherwise, size, "B", source="measured, with headers")


def _seen(
    name: str,
    label: str,
    value: float | None,
    otherwise: float,
    say: Say,
    unit: str = "",
    scale: float = 1.0,
    source: str = "measured",
) -> Input:
    """What a run may have seen, with what is assumed if it did not."""
    if value is None:
        return Input(name, label, otherwise, say, unit, "assumed: not seen in this run", scale=scale)
    return Input(name, label, float(value), say, unit, source, scale=scale)


def _found(
    name: str, label: str, value: float | None, say: Say, unit: str, where: str, scale: float = 1.0
) -> Input:
    """What nobody should assume."""
    source = where if value is not None else "not measured: fill it in"
    return Input(name, label, value, say, unit, source, scale=scale)
