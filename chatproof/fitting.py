"""Whether a plan fits this machine, found out before a run starts instead of in the middle of it."""

import psutil

from chaos.levers import PROXIES
from chatproof.errors import CannotRun
from chatproof.limits import PORTS_A_SOURCE, connections_a_process, open_files
from chatproof.plan import Plan

_RUN_BYTES = 400 << 20
"""The run itself and the process that stores, before the first connection."""
_WORKER_BYTES = 22 << 20
"""A process of the swarm; what it shares with the others is counted once, above."""
_ACCESS_BYTES = 16 << 20
_SWARM_SIDE_BYTES = 700
_SERVER_SIDE_BYTES = 1000
"""An idle connection in user space; on the server's side with what the storing process knows of its user."""
_KERNEL_BYTES = 2900
"""Each end of a connection in the kernel, as its caches and the machine's free memory tell."""
_USER_DISK_BYTES = 700
_ROW_BYTES = 40
_PROXIED_FILES = 2


def check_limits(plan: Plan) -> None:
    """Raises CannotRun with the setting to change when the plan cannot fit this machine."""
    _check_files(plan)
    _check_ports(plan)
    _check_memory(plan)


def _check_files(plan: Plan) -> None:
    files, room = open_files(), connections_a_process()
    each = -(-plan.connections // plan.swarm_processes)
    if each > room:
        raise CannotRun(
            f"{each:,} connections a process, but a process may open {files:,} files: "
            f"use at least {-(-plan.connections // room)} processes (--processes) or raise ulimit -n"
        )
    proxied = any(fault.pulls == PROXIES for fault in plan.faults)
    if proxied and not plan.toxiproxy and plan.connections * _PROXIED_FILES > room:
        raise CannotRun(
            f"the fault proxy holds two files a connection and may open {files:,}: with "
            f"faults on the path at most {room // _PROXIED_FILES:,} connections (--connections)"
        )
    if plan.target.start and plan.connections > room:
        raise CannotRun(
            f"{plan.connections:,} connections do not fit {plan.target.start} with {files:,} files: "
            f"use at most {room:,} (--connections) or raise ulimit -n"
        )
    servers = max(plan.access_processes, 1)
    if plan.target.is_ours and plan.connections > room * servers:
        raise CannotRun(
            f"{plan.connections:,} connections do not fit {servers} server process(es) of {files:,} files: "
            f"set target.access_processes to at least {-(-plan.connections // room)}"
        )


def _check_ports(plan: Plan) -> None:
    sources, access_points = plan.options().sources, max(plan.target.tcp_ports, 1)
    if plan.network.own is not None and sources > 1:
        raise CannotRun(
            f"a network of the run's own has one source address: {plan.connections:,} connections need "
            f"target.tcp_ports of at least {-(-plan.connections // PORTS_A_SOURCE)}"
        )
    ports = PORTS_A_SOURCE * max(sources, 1) * access_points
    if plan.connections > ports:
        raise CannotRun(
            f"{plan.connections:,} connections need more than {ports:,} ports: "
            f"set swarm.sources to {-(-plan.connections // (PORTS_A_SOURCE * access_points))}"
        )


def _check_memory(plan: Plan) -> None:
    each = _SWARM_SIDE_BYTES + _KERNEL_BYTES
    wanted = _RUN_BYTES + plan.swarm_processes * _WORKER_BYTES
    if plan.target.is_ours:
        each += _SERVER_SIDE_BYTES + _KERNEL_BYTES
        wanted += plan.access_processes * _ACCESS_BYTES
    wanted += plan.connections * each
    available = psutil.virtual_memory().available
    if wanted > available:
        fitting = max(0, plan.connections - (wanted - available) // each)
        raise CannotRun(
            f"{plan.connections:,} connections need about {wanted >> 20:,} MiB of memory, "
            f"{available >> 20:,} MiB are available: about {fitting:,} would fit (--connections)"
        )
