"""Where a client connects: targets by URL, and which one next when one fails."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from drivers import carriers
from drivers.carriers.polling import PollingCarrier
from drivers.carriers.wrapped import UrlCarrier
from drivers.contract import Carrier, Dialect, Session
from drivers.ladder.origin import Origin, parse_origin
from drivers.registered import DialectError, known_dialects

AnyCarrier = Carrier | UrlCarrier | PollingCarrier


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
        # What stands before the host is the dialect's, such as a domain.
        before = "".join(old.netloc.rpartition("@")[:2])
        netloc = before + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        url = urlunsplit((old.scheme, netloc, old.path, urlencode(query, safe="/"), ""))
        return replace(self, url=url, host=host, port=port)


def parse_target(url: str) -> Endpoint:
    """`chat+tcp://host:port`, `chat+wss://host:port/path?ca=FILE`, `mqtts://host` and the like, with what
    dialect and carrier have to be told in one query. Raises TargetError.

    The host must be an address or a name.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        dialects = known_dialects()
    except (ValueError, DialectError) as error:
        raise TargetError(f"target {url!r}: {error}") from error
    dialect_name, _, carrier_name = parts.scheme.partition("+")
    if dialect_name == _WITH_SCHEDULERS and carrier_name in _SCHEDULERS:
        return _scheduler(url, parts, carrier_name)
    short = _short_schemes(dialects).get(parts.scheme)
    dialect_name, carrier_name = short or (dialect_name, carrier_name or "tcp")
    dialect, carrier = dialects.get(dialect_name), _carriers().get(carrier_name)
    if dialect is None or carrier is None or not _carries(carrier, dialect):
        raise TargetError(f"target {url!r}: the scheme {parts.scheme!r} is none of {', '.join(schemes())}")
    if not parts.hostname:
        raise TargetError(f"target {url!r}: no host; write {parts.scheme}://HOST:PORT")
    port = port or dialect.ports.get(carrier.name, dialect.default_port)
    try:
        dialect, parts = _configured(dialect, parts)
        if not isinstance(carrier, Carrier):
            is_websocket = isinstance(carrier, UrlCarrier) and carrier.is_websocket
            carrier = carrier.at(parts, dialect)
            if is_websocket and dialect.websocket is not None and dialect.websocket.new_session is not None:
                dialect = replace(dialect, new_session=dialect.websocket.new_session)
        elif parts.query:
            raise ValueError(f"?{parts.query} means nothing here")
    except ValueError as error:
        raise TargetError(f"target {url!r}: {error}") from error
    label = f"{carrier.name}:{port}"
    if carrier.proxy is None:
        return Endpoint(url, parts.hostname or "", port, dialect, carrier, label)
    return Endpoint(url, *carrier.proxy, dialect, carrier, f"{label} through a proxy")


def schemes() -> list[str]:
    """Every scheme that a target's URL can have. Raises TargetError for a dialect that cannot be had."""
    try:
        dialects = known_dialects()
    except DialectError as error:
        raise TargetError(str(error)) from error
    found = list(_short_schemes(dialects))
    for name, dialect in sorted(dialects.items()):
        found += [f"{name}+{each.name}" for each in _carriers().values() if _carries(each, dialect)]
        found += [f"{name}+{each}" for each in _SCHEDULERS if name == _WITH_SCHEDULERS]
    return found


def _short_schemes(dialects: Mapping[str, Dialect]) -> dict[str, tuple[str, str]]:
    return {
        short: (name, carrier)
        for name, dialect in dialects.items()
        for short, carrier in dialect.schemes.items()
    }


def _carries(carrier: AnyCarrier, dialect: Dialect) -> bool:
    if isinstance(carrier, UrlCarrier) and carrier.is_websocket:
        return dialect.websocket is not None
    return not isinstance(carrier, PollingCarrier) or dialect.name == _WITH_SCHEDULERS


def _configured(dialect: Dialect, url: SplitResult) -> tuple[Dialect, SplitResult]:
    """The dialect as its part of the query wants it, and the URL without that. Raises ValueError."""
    if dialect.configured is None:
        return dialect, url
    query = parse_qsl(url.query, keep_blank_values=True)
    rest = [(name, value) for name, value in query if name not in dialect.options]
    return dialect.configured(url), url._replace(query=urlencode(rest, safe="/"))


def _scheduler(url: str, parts: SplitResult, name: str) -> Endpoint:
    if not parts.hostname:
        raise TargetError(f"target {url!r}: no host; write {parts.scheme}://NAME:PORT")
    try:
        origin = parse_origin(parts, is_secure=_SCHEDULERS[name])
    except ValueError as error:
        raise TargetError(f"target {url!r}: {error}") from error
    dialect = known_dialects()[_WITH_SCHEDULERS]
    return Endpoint(url, origin.name, origin.port, dialect, Carrier(name), f"{name}:{origin.port}", origin)


_WITH_SCHEDULERS = "chat"
_SCHEDULERS = {"scheduler": False, "schedulers": True}
"""What follows the dialect in the URL of a scheduler, and whether it is asked over TLS."""

_WITH_CERTIFICATE = ("tls", "wss")


@cache
def _carriers() -> dict[str, AnyCarrier]:
    modules = (
        importlib.import_module(f"{carriers.__name__}.{info.name}")
        for info in pkgutil.iter_modules(carriers.__path__)
    )
    return {module.CARRIER.name: module.CARRIER for module in modules if hasattr(module, "CARRIER")}
