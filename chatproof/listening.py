"""On what an embedded server listens for the carrier of a plan, and by which URLs clients reach it there."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from drivers.endpoints import Endpoint, parse_target
from refserver.process import ServerProcess

if TYPE_CHECKING:
    from conformance.authority import Authority

HERE = "127.0.0.1"
LADDER = "ladder"
CARRIERS = ("tcp", "tls", "ws", "wss", "longpoll", "shortpoll", LADDER)
"""How a swarm may come to the embedded server; on the ladder it finds out by itself."""
PROCESSES = ("tcp", "tls", "ws", "wss")
"""Those whose connections access processes can hold; the others are with the process that stores."""
_SCHEMES = {"longpoll": "http", "shortpoll": "http", LADDER: "any"}
_WITH_CERTIFICATE = ("tls", "wss")
_CHAT_PORT, _HTTP_PORT = 14000, 8080
_LADDER_PORTS = (14000, 443, 8080, 80)
_NAME = "localhost"
"""What everybody's resolver knows: who comes by the ladder asks for it."""


def addresses(carrier: str, count: int, host: str = HERE, *, free_ports: bool = True) -> list[str]:
    """`count` listeners for chat, four for the ladder, and one for HTTP; on the ports that the protocol has
    or on free ones."""
    scheme = _SCHEMES.get(carrier, carrier)
    if scheme == "any":
        wanted = [(scheme, port) for port in _LADDER_PORTS]
    else:
        wanted = [*((scheme, _CHAT_PORT + number) for number in range(count)), ("http", _HTTP_PORT)]
    return [f"{each}://{host}:{0 if free_ports else port}" for each, port in wanted]


def certificate(carrier: str, folder: Path) -> "Authority | None":
    """An authority in the folder; None for carriers that show no certificate."""
    if carrier not in _WITH_CERTIFICATE:
        return None
    # Few runs need one, and every process of a swarm would hold what it imports.
    from conformance.authority import Authority

    folder.mkdir(parents=True, exist_ok=True)
    return Authority.make(folder.resolve())


def endpoints(carrier: str, server: ServerProcess, authority: "Authority | None") -> tuple[Endpoint, ...]:
    """Of a server that listens on `addresses`."""
    scheme = _SCHEMES.get(carrier, carrier)
    urls = server.urls[scheme]
    if scheme == "http":
        urls = urls[:-1]  # the last one is there in any case
    places = [url.partition("://")[2].rstrip("/") for url in urls]
    if carrier == LADDER:
        return (parse_target(_ladder(places)),)
    query = "" if authority is None else f"?ca={quote(str(authority.root))}"
    return tuple(parse_target(f"chat+{carrier}://{place}{query}") for place in places)


def _ladder(places: Sequence[str]) -> str:
    """The last of the ports, which is that of the web, is the scheduler's as well."""
    host = places[0].rpartition(":")[0]
    ports = [place.rpartition(":")[2] for place in places]
    name = _NAME if host == HERE else host
    return f"chat+scheduler://{name}:{ports[-1]}?ports={','.join(ports)}&fallback={host}"


def asking_at(endpoint: Endpoint, port: int) -> Endpoint:
    """The ladder with its scheduler at another port of this machine.

    Raises TargetError for a scheduler elsewhere, whose name leads to no proxy here.
    """
    parts = urlsplit(endpoint.url)
    if parts.hostname not in (_NAME, HERE):
        return endpoint.moved(HERE, port)
    return parse_target(urlunsplit(parts._replace(netloc=f"{parts.hostname}:{port}")))
