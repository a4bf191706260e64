"""What a server is to be, checked before anything of it exists."""

import ipaddress
import resource
import socket
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from protocol.limits import DEFAULT_HEARTBEAT_S, MAX_HEARTBEAT_S, MIN_HEARTBEAT_S
from reactor import sockets
from refserver.access.carriers.kinds import kinds
from refserver.access.carriers.tls import server_context
from refserver.business.limiting import DEFAULT_BURST, RateLimit

LONG = ("tcp", *sorted(kinds()))
"""What long connections come over; access processes, where there are any, hold these."""
ANY = "any"
"""A port that serves all the others, told apart by what a connection says first."""
SCHEMES = (*LONG, "http", "https", ANY)
"""What can be listened on. HTTPS is HTTP within what `tls` is."""
PORTS = (14000, 443, 8080, 80)
"""The ports that networks let through, the one for chat first."""
_SHOWING = sorted(["https", *(scheme for scheme, kind in kinds().items() if kind.needs_certificate)])
_FORMS = " or ".join(f"{scheme}://HOST:PORT" for scheme in SCHEMES)


class ServeError(Exception):
    """The server cannot be what was asked: one line that says what, where, and what to do.

    `environment`: it is the machine that cannot (a port in use, a folder that is not writable), not the
    request that is wrong.
    """

    def __init__(self, text: str, *, environment: bool = False) -> None:
        super().__init__(text)
        self.environment = environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """`listen`: `SCHEME://HOST:PORT` with one of SCHEMES, port 0 for any free one. `access_processes` 0 keeps
    access in the process of business; `pace_s`: how often an access process looks at its sockets, 0 for at
    once (see `reactor.poller`); `friends_only`: strangers may not write to each other. `tls_cert` and
    `tls_key`: PEM files, for schemes that show a certificate. `rate_limit`: messages a second that each user
    may send for ever, 0 for any number; `rate_burst` of them at once. `resolve`: HTTPDNS, as NAME=IP,…
    `disturbances`: the file of what it is to suffer (`refserver.disturbances`), None for nothing ever.
    `otlp`: URL of an OpenTelemetry collector that gets its metrics, "" for none."""

    listen: list[str]
    data_dir: Path
    access_processes: int = 0
    pace_s: float = 0.0
    friends_only: bool = True
    default_heartbeat_s: int = DEFAULT_HEARTBEAT_S
    tls_cert: Path | None = None
    tls_key: Path | None = None
    rate_limit: float = 0.0
    rate_burst: int = DEFAULT_BURST
    resolve: Sequence[str] = ()
    disturbances: Path | None = None
    otlp: str = ""

    def check(self) -> list["Address"]:
        """The addresses to listen on. Raises ServeError."""
        if not self.listen:
            raise ServeError(f"nothing to listen on: give at least one of {_FORMS}")
        addresses = [Address.parse(url) for url in self.listen]
        if not 0 <= self.access_processes <= 256:
            raise ServeError(f"{self.access_processes} access processes: 0 to 256 are possible")
        if not 0 <= self.pace_s <= 1:
            raise ServeError(f"a pace of {self.pace_s:g} s: 0 to 1 are possible")
        if self.access_processes and not any(address.scheme in LONG for address in addresses):
            long = "://, ".join(LONG)
            raise ServeError(f"access processes serve {long}://: give such an address or 0 processes")
        if not MIN_HEARTBEAT_S <= self.default_heartbeat_s <= MAX_HEARTBEAT_S:
            possible = f"{MIN_HEARTBEAT_S} to {MAX_HEARTBEAT_S} are possible"
            raise ServeError(f"a heartbeat of {self.default_heartbeat_s} s: {possible}")
        self.tls_context({address.scheme for address in addresses})
        self.limit()
        self.names()
        self._check_data_dir()
        return addresses

    def tls_context(self, schemes: set[str]) -> ssl.SSLContext | None:
        """For those of the schemes that show a certificate; None if there are none. Raises ServeError."""
        needing = [scheme for scheme in _SHOWING if scheme in schemes]
        may_show = ANY in schemes and (self.tls_cert or self.tls_key)
        if not needing and not may_show:
            if self.tls_cert or self.tls_key:
                raise ServeError(
                    f"--tls-cert and --tls-key are for {'://, '.join([*_SHOWING, ANY])}:// addresses"
                )
            return None
        if self.tls_cert is None or self.tls_key is None:
            raise ServeError(f"{(needing or [ANY])[0]}:// needs --tls-cert FILE and --tls-key FILE")
        try:
            return server_context(self.tls_cert, self.tls_key)
        except OSError as error:
            raise ServeError(
                f"certificate {self.tls_cert} with key {self.tls_key}: {error.strerror or error}; "
                "both have to be PEM files without a password, and belong together"
            ) from error

    def spoken_at(self, address: "Address") -> list[str]:
        """The schemes that clients can use there."""
        if address.scheme != ANY:
            return [address.scheme]
        secure = set(_SHOWING) if self.tls_cert is not None else set()
        return [each for each in SCHEMES if each != ANY and (each not in _SHOWING or each in secure)]

    def names(self) -> dict[str, tuple[str, ...]]:
        """What HTTPDNS answers with, by name in lower case. Raises ServeError."""
        found: dict[str, tuple[str, ...]] = {}
        for entry in self.resolve:
            name, equals, given = entry.partition("=")
            addresses = tuple(each.strip() for each in given.split(",") if each.strip())
            if not name or not equals or not addresses:
                raise ServeError(f"--resolve {entry!r}: write NAME=ADDRESS, or several with commas between")
            for address in addresses:
                try:
                    ipaddress.ip_address(address)
                except ValueError as error:
                    raise ServeError(f"--resolve {entry}: {error}") from error
            found[name.lower().rstrip(".")] = addresses
        return found

    def limit(self) -> RateLimit | None:
        """What each user may send; None for as much as they like. Raises ServeError."""
        if self.rate_limit == 0:
            return None
        try:
            return RateLimit(self.rate_limit, self.rate_burst)
        except ValueError as error:
            raise ServeError(f"{error}; see --rate-limit and --rate-burst") from error

    def _check_data_dir(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.data_dir):
                pass
        except OSError as error:
            raise ServeError(
                f"data directory {self.data_dir}: {error.strerror}; choose another one with --data",
                environment=True,
            ) from error


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises ServeError for what is not SCHEME://HOST:PORT with a known scheme."""
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme, parts.hostname, parts.port
        except ValueError:
            scheme, host, port = "", None, None
        if scheme not in SCHEMES or not host or port is None or parts.path not in ("", "/"):
            raise ServeError(f"cannot listen on {url!r}: use {_FORMS}")
        return cls(scheme, host, port)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def with_port_of(self, listener: socket.socket) -> "Address":
        """The same with the port that was really taken."""
        return Address(self.scheme, self.host, listener.getsockname()[1])

    def open(self) -> socket.socket:
        """A listening socket of its own. Raises ServeError."""
        try:
            return sockets.listen(self.host, self.port)
        except OSError as error:
            raise ServeError(
                f"cannot listen on {self.url}: {error.strerror or error}; choose another address or port",
                environment=True,
            ) from error

    def reserve(self) -> socket.socket:
        """A socket that holds the port without listening, so that processes may come and go on it."""
        # Several servers could share a port that way by accident: the first look is without sharing.
        with self.open() as probe:
            port = probe.getsockname()[1]
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        holder = socket.socket(family, socket.SOCK_STREAM)
        try:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((self.host, port))
        except OSError as error:
            holder.close()
            raise ServeError(
                f"cannot listen on {self.url}: {error.strerror or error}", environment=True
            ) from error
        return holder


def raise_descriptor_limit() -> None:
    """As many open files as this process may have; children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
