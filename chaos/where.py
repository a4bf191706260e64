"""Where a fault is on, as people write it behind `on`: everywhere, at one place, or for a share."""

from dataclasses import dataclass
from typing import Self

from chaos.errors import FaultSyntaxError
from chaos.quantities import share

ALL = "*"
CLIENTS, CONNECTIONS = "clients", "connections"


@dataclass(frozen=True, slots=True)
class Where:
    """`name`: of a proxy or a part of the server, ALL for everything. `clients` and `connections`: for which
    share of them, 1.0 for all; at most one of both is less."""

    name: str = ALL
    clients: float = 1.0
    connections: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """`*`, `clients`, `clients/25%`, `connections/10%`, `access-1`, `access-1/10%`.

        A share of the clients is the same clients for as long as the fault is on, whatever becomes of their
        connections; one of the connections is drawn for each connection anew. Raises FaultSyntaxError.
        """
        name, slash, part = text.partition("/")
        wanted = share(part) if slash else 1.0
        if not wanted:
            raise FaultSyntaxError(f"on {text}: that is nobody")
        if not name:
            raise FaultSyntaxError(f"on {text}: a share of what? write it like on clients/25%")
        if name == CLIENTS:
            return cls(clients=wanted)
        return cls(ALL if name == CONNECTIONS else name, connections=wanted)
