"""What observed costs are worth: a cost for each frame and connection, and what there is without any."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.capacity.observed import Observed, Side

FEW_CONNECTIONS = 1_000
"""With fewer, what a connection takes drowns in what processes take anyhow."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Server or swarm: processor time a frame, bytes a connection, bytes of a machine without any. None: not
    measured."""

    us_a_frame: float | None
    bytes_a_connection: float | None
    base_bytes: float | None


@dataclass(frozen=True, slots=True)
class Costs:
    """`runs`: from how many. `doubts`: what a reader must know before he believes the rest, a line each."""

    server: Unit
    swarm: Unit
    observed: Observed
    runs: int
    doubts: tuple[str, ...]


def of_run(observed: Observed) -> Costs:
    """From one run, a line through one point: all processor time is put down to frames."""
    return Costs(
        _of_one(observed, observed.server), _of_one(observed, observed.swarm), observed, 1, _doubts(observed)
    )


def of_sweep(steps: Sequence[Observed]) -> Costs:
    """From the steps of a sweep (one at least): lines fitted through them, none of them falling. What only
    the largest step shows is taken from it."""
    largest = max(steps, key=lambda one: (one.connections, one.frames_a_second))
    if len(steps) == 1:
        return of_run(largest)
    server, swarm = (
        _of_many(steps, largest, side) for side in (lambda one: one.server, lambda one: one.swarm)
    )
    return Costs(server, swarm, largest, len(steps), _doubts(largest)[1:])


def _of_one(observed: Observed, side: Side) -> Unit:
    each, rss = side.bytes_a_connection, side.rss_bytes
    return Unit(
        us_a_frame=side.cores * 1e6 / observed.frames_a_second
        if side.cores is not None and observed.frames_a_second
        else None,
        bytes_a_connection=each,
        base_bytes=max(0.0, rss - each * observed.connections) if rss is not None and each else rss,
    )


def _of_many(steps: Sequence[Observed], largest: Observed, side_of: Callable[[Observed], Side]) -> Unit:
    alone = _of_one(largest, side_of(largest))
    busy = _line([(one.frames_a_second, side_of(one).cores) for one in steps])
    memory = _line([(one.connections, side_of(one).rss_bytes) for one in steps])
    return Unit(
        us_a_frame=busy[0] * 1e6 if busy else alone.us_a_frame,
        bytes_a_connection=memory[0] if memory else alone.bytes_a_connection,
        base_bytes=memory[1] if memory else alone.base_bytes,
    )


def _line(points: Sequence[tuple[float, Any]]) -> tuple[float, float] | None:
    """Slope and intercept, least squares; None where there is no rising line through at least two places."""
    known = [(x, y) for x, y in points if y is not None]
    if len({x for x, _ in known}) < 2:
        return None
    slope, base = np.polyfit(
        np.array([x for x, _ in known], float), np.array([y for _, y in known], float), 1
    )
    return (float(slope), max(float(base), 0.0)) if slope > 0 else None


def _doubts(observed: Observed) -> tuple[str, ...]:
    doubts = ["This is a line through one point, one run: nothing in it knows where the line bends."]
    if observed.server.cores is None:
        doubts.append("The server was not on this machine: its processor and memory were not measured.")
    else:
        doubts.append(
            "Server and swarm shared one machine, its caches and its processors: apart, a frame costs less."
        )
    if observed.connections < FEW_CONNECTIONS:
        doubts.append(
            "So few connections were open that bytes a connection are mostly what processes take anyhow."
        )
    if observed.overloaded:
        doubts.append("The swarm was overloaded, so it was the tester that was measured.")
    return tuple(doubts)
