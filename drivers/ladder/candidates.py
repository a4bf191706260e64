"""What to try: an endpoint for each carrier at each port of each address, the best first."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from drivers.endpoints import Endpoint, TargetError, parse_target
from drivers.ladder.answers import Point
from drivers.ladder.origin import Origin, is_address, rank

_CARRIERS_OF = {
    "tcp": ("tcp",), "tls": ("tls",), "ws": ("ws",), "wss": ("wss",), "http": ("longpoll", "shortpoll"),
}  # fmt: skip
_POLLS = ("longpoll", "shortpoll")
MOST = 64
"""No more are tried in one climb."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """`load`: what the scheduler says is held there; None where nobody has told."""

    endpoint: Endpoint
    load: float | None = None

    @property
    def rank(self) -> int:
        return rank(self.endpoint.carrier.name)


def of_points(origin: Origin, points: Iterable[Point]) -> list[Candidate]:
    """Of what a scheduler has named, what this client can use: the best carrier first, then as listed, which
    is by load. An unknown scheme is one of the future and passed over; so is a host's name."""
    found: list[Candidate] = []
    for point in points:
        try:
            parts = urlsplit(point.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            continue
        if host and port and is_address(host):
            for carrier in _CARRIERS_OF.get(parts.scheme, ()):
                found += _at(origin, carrier, host, port, point.load)
    return sorted(found, key=lambda each: each.rank)


def of_addresses(origin: Origin, addresses: Iterable[str]) -> list[Candidate]:
    """Every carrier at every port of every address: all ports with the best carrier come first."""
    listed = list(addresses)
    found = [
        candidate
        for port in origin.ports
        for address in listed
        for carrier in origin.carriers
        for candidate in _at(origin, carrier, address, port, None)
    ]
    return sorted(found, key=lambda each: each.rank)


def _at(origin: Origin, carrier: str, host: str, port: int, load: float | None) -> list[Candidate]:
    if carrier not in origin.carriers:
        return []
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    ways = [f"chat+{carrier}://{where}"]
    if carrier in ("tls", "wss"):
        ca = f"ca={quote(origin.ca)}&" if origin.ca else ""
        ways[0] += f"?{ca}name={quote(origin.name)}"
    elif carrier in _POLLS and origin.proxy is not None:
        proxy_host, proxy_port = origin.proxy
        ways.append(f"{ways[0]}?proxy={quote(proxy_host)}:{proxy_port}")
    found: list[Candidate] = []
    for url in ways:
        try:
            found.append(Candidate(parse_target(url), load))
        except TargetError:
            continue  # a scheduler may name what no socket can be opened to
    return found
