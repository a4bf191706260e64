"""The reference server, started for the occasion with a listener for every carrier."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.packets.network import SERVER_ADDRESS
from conformance import carriers
from conformance.accounts import Block, load
from drivers.endpoints import Endpoint, parse_target

if TYPE_CHECKING:
    from conformance.weather import Weather
    from refserver.process import ServerProcess

HOST = "127.0.0.1"
_TOKEN_TTL_S = 24 * 3600.0
_LISTENERS = ("tls", "ws", "wss", "https", *(("any",) * 4))
"""Beside tcp and http, which the server has anyway."""
_EVERYWHERE = ("tcp", "tls", "ws", "wss", "longpoll", "shortpoll")
"""What a port that serves everything serves."""
NAME = "chat.example"
"""What HTTPDNS knows the server by."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`endpoints`: by carrier. `ports`: four, each of which serves everything. `ca`: the PEM file of the
    authority that its certificate is from."""

    server: "ServerProcess"
    blocks: Sequence[Block]
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    http_url: str | None
    https_url: str | None
    ports: tuple[int, ...]
    ca: Path


def start(stack: ExitStack, blocks: int, weather: "Weather | None" = None) -> Reference:
    """The server runs until `stack` is left, and has that many blocks of accounts; with `weather` it is where
    that wants it."""
    from refserver.accounts import testbed
    from refserver.process import ServerProcess
    from refserver.settings import SCHEMES

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatproof-")))
    accounts, ca = folder / "accounts.json", folder / "ca.pem"
    testbed(folder / "data", blocks, accounts, _TOKEN_TTL_S)
    if weather is not None:
        return _start_under(stack, folder, weather, load(accounts), ca)
    server = ServerProcess(
        folder / "data",
        tcp_ports=1,
        http=True,
        access_processes=0,
        carriers=[scheme for scheme in _LISTENERS if scheme in SCHEMES],
        certificate=_certificate(folder, ca),
        resolve=[f"{NAME}={HOST}"],
    )
    stack.callback(server.stop)
    server.start()
    secure = next(iter(server.urls.get("https", [])), None)
    by_carrier = {name: _endpoints(server, name, ca) for name in carriers.known()}
    ports = tuple(int(url.rpartition(":")[2]) for url in server.urls["any"])
    return Reference(server, load(accounts), by_carrier, server.http_url, secure, ports, ca)


def _start_under(
    stack: ExitStack, folder: Path, weather: "Weather", blocks: Sequence[Block], ca: Path
) -> Reference:
    """On four ports, with all that a fault plan can break."""
    from refserver.process import ServerProcess

    server = ServerProcess(
        folder / "data",
        access_processes=weather.plan.access_processes or 0,
        certificate=_certificate(folder, ca),
        listen=weather.listen,
        within=weather.within,
        resolve=[f"{NAME}={weather.host}"],
        disturbances=True,
    )
    stack.callback(server.stop)
    server.start()
    everywhere = [url.partition("://")[2].rstrip("/") for url in server.urls.get("any", [])]
    ports = tuple(int(place.rpartition(":")[2]) for place in everywhere)
    http_url = server.http_url
    if everywhere:
        ways = {name: _at(name, everywhere[0], ca) for name in carriers.known() if name in _EVERYWHERE}
    else:
        ways = {name: _endpoints(server, name, ca) for name in carriers.known()}
    if weather.by_ladder:
        # Clients ask; bare connections go where they get through, if there is such a place.
        host, asked = everywhere[0].rpartition(":")[0], ",".join(map(str, ports))
        way = parse_target(f"chat+scheduler://{host}:{ports[-1]}?ports={asked}&fallback={host}")
        weather.seekers_ask = weather.through([way])
        ways = {name: _at(name, f"{host}:{weather.open_port(name) or ports[0]}", ca) for name in ways}
        http_url = f"http://{host}:{weather.open_port('longpoll') or ports[-1]}"
    by_carrier = {name: weather.through(endpoints) for name, endpoints in ways.items()}
    stack.callback(weather.end)
    weather.begin(server)
    return Reference(server, blocks, by_carrier, http_url, None, ports, ca)


def _at(carrier: str, place: str, ca: Path) -> tuple[Endpoint, ...]:
    query = f"?ca={ca}" if carrier in ("tls", "wss") else ""
    return (parse_target(f"chat+{carrier}://{place}{query}"),)


def _certificate(folder: Path, ca: Path) -> tuple[Path, Path]:
    """Chain and key for HOST, and the authority at `ca`."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca)
    issued = authority.issue_cert(HOST, SERVER_ADDRESS)
    chain, key = folder / "server.pem", folder / "server.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(key)
    return chain, key


def _endpoints(server: "ServerProcess", carrier: str, ca: Path) -> tuple[Endpoint, ...]:
    scheme = "http" if carrier.endswith("poll") else carrier
    query = f"?ca={ca}" if carrier in ("tls", "wss") else ""
    addresses = (url.partition("://")[2].rstrip("/") for url in server.urls.get(scheme, []))
    return tuple(parse_target(f"chat+{carrier}://{address}{query}") for address in addresses)
