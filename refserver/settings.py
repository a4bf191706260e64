"""What a server is to be, checked before anything of it exists."""

import resource
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from protocol.limits import DEFAULT_HEARTBEAT_S, MAX_HEARTBEAT_S, MIN_HEARTBEAT_S
from reactor import sockets


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
    """`listen`: `tcp://HOST:PORT` and `http://HOST:PORT`, port 0 for any free one. `access_processes` 0 keeps
    access in the process of business; `friends_only`: strangers may not write to each other."""

    listen: list[str]
    data_dir: Path
    access_processes: int = 0
    friends_only: bool = True
    default_heartbeat_s: int = DEFAULT_HEARTBEAT_S

    def check(self) -> list["Address"]:
        """The addresses to listen on. Raises ServeError."""
        if not self.listen:
            raise ServeError("nothing to listen on: give at least one tcp://HOST:PORT or http://HOST:PORT")
        addresses = [Address.parse(url) for url in self.listen]
        if not 0 <= self.access_processes <= 256:
            raise ServeError(f"{self.access_processes} access processes: 0 to 256 are possible")
        if self.access_processes and not any(address.scheme == "tcp" for address in addresses):
            raise ServeError("access processes serve tcp:// only: give such an address or 0 processes")
        if not MIN_HEARTBEAT_S <= self.default_heartbeat_s <= MAX_HEARTBEAT_S:
            possible = f"{MIN_HEARTBEAT_S} to {MAX_HEARTBEAT_S} are possible"
            raise ServeError(f"a heartbeat of {self.default_heartbeat_s} s: {possible}")
        self._check_data_dir()
        return addresses

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
        """Raises ServeError for what is not `tcp://HOST:PORT` or `http://HOST:PORT`."""
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme, parts.hostname, parts.port
        except ValueError:
            scheme, host, port = "", None, None
        if scheme not in ("tcp", "http") or not host or port is None or parts.path not in ("", "/"):
            raise ServeError(f"cannot listen on {url!r}: use tcp://HOST:PORT or http://HOST:PORT")
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
