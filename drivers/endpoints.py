"""Where a client connects: targets by URL, and which one next when one fails."""

import importlib
import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from drivers import carriers, dialects
from drivers.carriers.polling import PollingCarrier
from drivers.carriers.wrapped import UrlCarrier
from drivers.contract import Carrier, Dialect, Session
from drivers.ladder.origin import Origin, parse_origin


class TargetError(Exception):
    """A URL that names no dialect, carrier or address; the text says which and what exists."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One access point. `label` names the path in reports, such as `tcp:14000`. What its carrier has to know
    of the URL, such as the name that a certificate must have, it keeps whatever address `host` becomes.

    `origin`: of a scheduler, which is nothing to connect to: clients find their access points by it."""

    url: str
    host: str
    port: int
    dialect: Dialect
    carrier: Carrier
    label: str
    origin: Origin | None = None

    @property
    def is_plain(self) -> bool:
        """Whether a connection to it shows the session's bytes as they are."""
        return self.carrier.wrap is None

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def new_session(self) -> Session:
        """A session of the dialect over the carrier, before its first byte."""
        session, wrap = self.dialect.new_session(), self.carrier.wrap
        return session if wrap is None else wrap(session)

    def moved(self, host: str, port: int) -> "Endpoint":
        """The same access point behind another address, such as a proxy's: it keeps its label, and its URL
        still asks for a certificate of the old name. Raises TargetError for a scheduler, which would name the
        true addresses all the same."""
        if self.origin is not None:
            raise TargetError(
                f"target {self.url!r}: a scheduler cannot be moved behind a proxy; name access points"
            )
        old = urlsplit(self.url)
        query = parse_qsl(old.query)
        if self.carrier.name in _WITH_CERTIFICATE and "name" not in dict(query):
            query.append(("name", old.hostname or ""))
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        url = urlunsplit((old.scheme, netloc, old.path, urlencode(query, safe="/"), ""))
        return replace(self, url=url, host=host, port=port)


def parse_target(url: str) -> Endpoint:
    """`chat+tcp://host:port`, `chat+wss://host:port/path?ca=FILE` and the like. Raises TargetError.

    The host must be an address or a name.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"target {url!r}: {error}") from error
    known_dialects, known_carriers = _dialects(), _carriers()
    dialect_name, _, carrier_name = parts.scheme.partition("+")
    if dialect_name == _WITH_SCHEDULERS and carrier_name in _SCHEDULERS:
        return _scheduler(url, parts, carrier_name)
    dialect = known_dialects.get(dialect_name)
    carrier = known_carriers.get(carrier_name or "tcp")
    if dialect is None or carrier is None:
        carriers_and_more = (*known_carriers, *_SCHEDULERS)
        schemes = ", ".join(f"{one}+{other}" for one in sorted(known_dialects) for other in carriers_and_more)
        raise TargetError(f"target {url!r}: the scheme {parts.scheme!r} is none of {schemes}")
    if not parts.hostname:
        raise TargetError(f"target {url!r}: no host; write {dialect.name}+{carrier.name}://HOST:PORT")
    port = port or dialect.default_port
    if not isinstance(carrier, Carrier):
        try:
            carrier = carrier.at(parts)
        except ValueError as error:
            raise TargetError(f"target {url!r}: {error}") from error
    if carrier.dialect not in (None, dialect.name):
        raise TargetError(f"target {url!r}: {carrier.name} carries {carrier.dialect} only")
    label = f"{carrier.name}:{port}"
    if carrier.proxy is None:
        return Endpoint(url, parts.hostname, port, dialect, carrier, label)
    return Endpoint(url, *carrier.proxy, dialect, carrier, f"{label} through a proxy")


def _scheduler(url: str, parts: SplitResult, name: str) -> Endpoint:
    if not parts.hostname:
        raise TargetError(f"target {url!r}: no host; write {parts.scheme}://NAME:PORT")
    try:
        origin = parse_origin(parts, is_secure=_SCHEDULERS[name])
    except ValueError as error:
        raise TargetError(f"target {url!r}: {error}") from error
    dialect = _dialects()[_WITH_SCHEDULERS]
    return Endpoint(url, origin.name, origin.port, dialect, Carrier(name), f"{name}:{origin.port}", origin)


_WITH_SCHEDULERS = "chat"
_SCHEDULERS = {"scheduler": False, "schedulers": True}
"""What follows the dialect in the URL of a scheduler, and whether it is asked over TLS."""

_WITH_CERTIFICATE = ("tls", "wss")


@cache
def _dialects() -> dict[str, Dialect]:
    return {found.name: found for found in _registered(dialects, "DIALECT")}


@cache
def _carriers() -> dict[str, Carrier | UrlCarrier | PollingCarrier]:
    return {found.name: found for found in _registered(carriers, "CARRIER")}


def _registered(package: ModuleType, name: str) -> list[Any]:
    modules = (
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    )
    return [getattr(module, name) for module in modules if hasattr(module, name)]
