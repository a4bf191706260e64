"""Addresses as the API writes them, `host:port`, and the original's texts for what is wrong with them."""

import errno
import ipaddress
import os
import socket

import gevent.socket
from gevent.monkey import get_original

from reactor import sockets

_Socket: type[socket.socket] = get_original("socket", "socket")
_TEXTS = {
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EACCES: "permission denied",
}


class AddressError(ValueError):
    """The text says which address and what is wrong with it."""


def split(address: str) -> tuple[str, int]:
    """Host, perhaps empty, and port number. Raises AddressError."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        raise AddressError(f"address {address}: missing port in address")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(f"address {address}: too many colons in address")
    if not port:
        return host, 0
    if not (port.isascii() and port.isdigit()):
        try:
            return host, socket.getservbyname(port, "tcp")
        except OSError:
            raise AddressError(f"lookup tcp/{port}: unknown port") from None
    if int(port) > 65535:
        raise AddressError(f"address {port}: invalid port")
    return host, int(port)


def join(host: str, port: int) -> str:
    """The way back."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_numeric(host: str) -> bool:
    """Whether nobody has to be asked what it means."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def resolve_all(address: str) -> list[tuple[str, int]]:
    """Numeric addresses for `host:port`, in the order to be tried. Waits only for names. AddressError."""
    host, port = split(address)
    if is_numeric(host):
        return [(str(ipaddress.ip_address(host)), port)]
    try:
        found = gevent.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressError(f"lookup {host}: no such host") from None
    return [(str(info[4][0]), port) for info in found]


def resolve_listen(address: str) -> tuple[str, int]:
    """Where to listen: the first address, IPv4 before IPv6; every interface when no host is named."""
    if not address:
        address = ":0"
    host, port = split(address)
    if not host:
        return "::" if socket.has_ipv6 else "0.0.0.0", port
    found = resolve_all(address)
    return next((each for each in found if ":" not in each[0]), found[0])


def resolved(address: str) -> str:
    """`address` as it would be shown after listening on it."""
    return join(*resolve_listen(address))


def listen(address: tuple[str, int]) -> socket.socket:
    """Raises AddressError with the original's text."""
    try:
        try:
            return sockets.listen(*address)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT or address[0] != "::":
                raise
            return sockets.listen("0.0.0.0", address[1])
    except OSError as error:
        text = _TEXTS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
        raise AddressError(f"listen tcp {join(*address)}: bind: {text}") from None


def peer(fd: int) -> str | None:
    """The address at the other end of a connection, None when it is no longer there or has none."""
    connection = _Socket(fileno=fd)
    try:
        name = connection.getpeername()
    except OSError:
        return None
    finally:
        connection.detach()
    return str(name[0]) if isinstance(name, tuple) else None
