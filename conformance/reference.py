"""The reference server, started for the occasion with a listener for every carrier."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import carriers
from conformance.accounts import Block, load
from drivers.endpoints import Endpoint, parse_target

if TYPE_CHECKING:
    from refserver.process import ServerProcess

HOST = "127.0.0.1"
_TOKEN_TTL_S = 24 * 3600.0
_LISTENERS = ("tls", "ws", "wss", "https", *(("any",) * 4))
"""Beside tcp and http, which the server has anyway."""
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


def start(stack: ExitStack, blocks: int) -> Reference:
    """The server runs until `stack` is left, and has that many blocks of accounts."""
    from refserver.accounts import testbed
    from refserver.process import ServerProcess
    from refserver.settings import SCHEMES

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatproof-")))
    accounts, ca = folder / "accounts.json", folder / "ca.pem"
    testbed(folder / "data", blocks, accounts, _TOKEN_TTL_S)
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


def _certificate(folder: Path, ca: Path) -> tuple[Path, Path]:
    """Chain and key for HOST, and the authority at `ca`."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca)
    issued = authority.issue_cert(HOST)
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
