"""A toxic as a proxy has it: what the API shows, and whether it acts on a link."""

import dataclasses
import ipaddress
from collections import Counter
from typing import Any

from chaos.stage import Place
from chaos.toxics import ToxicType

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Of `127.0.0.5, 10.0.0.0/8`. Raises ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts)


class Toxic:
    """Belongs to one direction of one proxy. `stream` is the direction as the client wrote it.

    Beyond the original: `clients`, addresses or networks separated by commas, without which connections are
    none of its business; `duration`, milliseconds after which it is removed, 0 for never. `expires_at` is
    the monotonic second of that.
    """

    __slots__ = (
        "_networks",
        "attributes",
        "clients",
        "common",
        "counts",
        "direction",
        "duration",
        "expires_at",
        "name",
        "stream",
        "toxicity",
        "type",
        "updates",
    )

    def __init__(
        self,
        type_: ToxicType,
        name: str,
        stream: str,
        toxicity: float,
        attributes: Any,
        *,
        clients: str = "",
        duration: int = 0,
    ) -> None:
        self._networks = networks(clients)
        self.type = type_
        self.name = name
        self.stream = stream
        self.direction = stream.lower()
        self.toxicity = toxicity
        self.attributes = attributes
        self.clients = clients
        self.duration = duration
        self.expires_at: float | None = None
        self.updates = 0
        self.counts: Counter[str] = Counter()
        self.common: dict[type, object] = {}

    def means(self, client: str | None) -> bool:
        """Whether a connection from that address (None: unknown) is any of its business."""
        if not self._networks:
            return True
        if client is None:
            return False
        address = ipaddress.ip_address(client.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)

    def acts_on(self, place: Place) -> bool:
        """Drawn for each link, and again when the toxic is updated."""
        if self.toxicity >= 1:
            return True
        return self.toxicity > 0 and place.chance().random() < self.toxicity

    def as_json(self) -> dict[str, Any]:
        """In the order of the original, then what it has beyond it, unless that is nothing."""
        shown: dict[str, Any] = {
            "attributes": dataclasses.asdict(self.attributes),
            "name": self.name,
            "type": self.type.name,
            "stream": self.stream,
            "toxicity": self.toxicity,
        }
        beyond = {"clients": self.clients, "duration": self.duration, "counts": dict(self.counts)}
        return shown | {key: value for key, value in beyond.items() if value}
