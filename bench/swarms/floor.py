"""The floor: one epoll set and a list of descriptors. It knows no protocol."""

from bench.measured import module
from bench.peer import Load, Swarm


def _command(load: Load) -> list[str]:
    return module(
        "bench.opposite.client",
        *("--port", load.port, "--connections", load.connections, "--heartbeat", load.heartbeat_s),
    )


PEER = Swarm("bare epoll (the floor)", command=_command)
