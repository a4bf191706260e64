"""What this machine allows, found out before a run starts instead of in the middle of it."""

import resource

import psutil

from chatproof.errors import CannotRun
from chatproof.plan import EMBEDDED, Plan

_OTHER_FILES = 200
_PORTS_A_SOURCE = 14_000
"""Beyond half of the 28,000 ports of a source address the kernel searches long for each further one."""
_WORKER_BYTES = 120 << 20
_CONNECTION_BYTES = 12_000
"""User space and kernel, both ends, with room."""


def raise_open_files() -> int:
    """The soft limit of open files is the hard one, here and in what is started from here; the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def check(plan: Plan) -> None:
    """Raises CannotRun with the setting to change when the plan cannot fit this machine."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    room = files - _OTHER_FILES
    each = -(-plan.connections // plan.processes)
    if each > room:
        raise CannotRun(
            f"{each:,} connections a process, but a process may open {files:,} files: "
            f"use at least {-(-plan.connections // room)} processes (--processes) or raise ulimit -n"
        )
    if plan.fault and not plan.toxiproxy and plan.connections * 2 > room:
        raise CannotRun(
            f"the fault proxy holds two files a connection and may open {files:,}: with faults at most "
            f"{room // 2:,} connections (--connections)"
        )
    servers = max(plan.target.access_processes, 1)
    if plan.target.url == EMBEDDED and plan.connections > room * servers:
        raise CannotRun(
            f"{plan.connections:,} connections do not fit {servers} server process(es) of {files:,} files: "
            f"set target.access_processes to at least {-(-plan.connections // room)}"
        )
    ports = _PORTS_A_SOURCE * max(plan.options().sources, 1) * max(plan.target.tcp_ports, 1)
    if plan.connections > ports:
        raise CannotRun(
            f"{plan.connections:,} connections need more than {ports:,} ports: "
            f"set swarm.sources to {-(-plan.connections // _PORTS_A_SOURCE)}"
        )
    wanted = plan.connections * _CONNECTION_BYTES + plan.processes * _WORKER_BYTES
    available = psutil.virtual_memory().available
    if wanted > available:
        raise CannotRun(
            f"{plan.connections:,} connections need about {wanted >> 20:,} MiB of memory, "
            f"{available >> 20:,} MiB are available: use fewer connections"
        )
