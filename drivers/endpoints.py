"""Where a client connects: targets by URL, and which one next when one fails."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from drivers import carriers, dialects
from drivers.contract import Carrier, Dialect, Session


class TargetError(Exception):
    """A URL that names no dialect, carrier or address; the text says which and what exists."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One access point. `label` names the path in reports, such as `tcp:14000`."""

    url: str
    host: str
    port: int
    dialect: Dialect
    carrier: Carrier
    label: str

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def new_session(self) -> Session:
        """A session of the dialect over the carrier, before its first byte."""
        return self.carrier.wrap(self.dialect.new_session())


def parse_target(url: str) -> Endpoint:
    """`chat+tcp://host:port` and the like. The host must be an address or a name. Raises TargetError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"target {url!r}: {error}") from error
    known_dialects, known_carriers = _dialects(), _carriers()
    dialect_name, _, carrier_name = parts.scheme.partition("+")
    dialect = known_dialects.get(dialect_name)
    carrier = known_carriers.get(carrier_name or "tcp")
    if dialect is None or carrier is None:
        schemes = ", ".join(f"{one}+{other}" for one in sorted(known_dialects) for other in known_carriers)
        raise TargetError(f"target {url!r}: the scheme {parts.scheme!r} is none of {schemes}")
    if not parts.hostname:
        raise TargetError(f"target {url!r}: no host; write {dialect.name}+{carrier.name}://HOST:PORT")
    port = port or dialect.default_port
    return Endpoint(url, parts.hostname, port, dialect, carrier, f"{carrier.name}:{port}")


@cache
def _dialects() -> dict[str, Dialect]:
    return {found.name: found for found in _registered(dialects, "DIALECT")}


@cache
def _carriers() -> dict[str, Carrier]:
    return {found.name: found for found in _registered(carriers, "CARRIER")}


def _registered(package: ModuleType, name: str) -> list[Any]:
    modules = (
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    )
    return [getattr(module, name) for module in modules if hasattr(module, name)]
