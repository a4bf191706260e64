"""What a process and an address of this machine can hold."""

import os
import resource

_OTHER_FILES = 200
_MOST_A_PROCESS = 18_000
"""A process that holds more keeps no more processors busy, and its connections wait longer for each other."""
PORTS_A_SOURCE = 14_000
"""Connections take the ports of one parity of their source address, half of 28,000."""
_PORTS_TAKEN = 5_000
"""Of them, where addresses can be had for nothing: the kernel tries one after the other, and looking for the
last ones took more processor than the rest of a login."""
_PROCESSES_A_CORE = 4
_PACE_S = 0.002
"""For each process that shares the machine. One that is woken finds its code and its connections gone from
the processor's caches, which costs more than several heartbeats do: it should find as many as it may."""


def raise_open_files() -> int:
    """The soft limit of open files is the hard one, here and in what is started from here; the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def open_files() -> int:
    """How many files a process may open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def connections_a_process() -> int:
    """As many as it may open files, less what else it needs."""
    return max(1, open_files() - _OTHER_FILES)


def processes_for(connections: int) -> int:
    """How many processes should share them."""
    return -(-connections // min(_MOST_A_PROCESS, connections_a_process()))


def pace_for(processes: int) -> float:
    """How often each of so many processes should look at its sockets, in seconds; 0: as soon as it can."""
    cores = os.cpu_count() or 1
    return round(_PACE_S * processes, 3) if processes > _PROCESSES_A_CORE * cores else 0.0


def sources_for(connections: int, ports: int) -> int:
    """How many local addresses are needed towards so many ports of one server."""
    return -(-connections // (_PORTS_TAKEN * max(ports, 1)))
