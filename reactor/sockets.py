"""Sockets as bare descriptors, never blocking: a socket object a connection costs more than it gives."""

import errno
import os
import socket
from collections.abc import Callable

from gevent.monkey import get_original

READ_BYTES = 65536

_WOULD_BLOCK = (errno.EAGAIN, errno.EWOULDBLOCK)
_BIND_ADDRESS_NO_PORT = 24  # Linux; the socket module names it only from Python 3.12 on
_TCP_INFO_BYTES = 256
# Under Locust the socket module is gevent's, whose sockets wait where these must not: in the hub.
_Socket: type[socket.socket] = get_original("socket", "socket")
# And os.close closes only when something else wakes the hub the next time.
_close: Callable[[int], None] = get_original("os", "close")
_pair: "Callable[[int, int], tuple[socket.socket, socket.socket]]" = get_original("socket", "socketpair")
_NOT_ACCEPTED = (errno.ECONNABORTED, errno.EPROTO, errno.EPERM)


def listen(host: str, port: int, *, reuse_port: bool = False, backlog: int = 4096) -> socket.socket:
    """A listening socket. Accepted ones inherit TCP_NODELAY and keepalive from it (HBT.5). Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = _Socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.bind((host, port))
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def reserve(host: str, port: int = 0) -> socket.socket:
    """A socket that keeps a port, by default a free one, from being given to anybody while it is open. It
    does not listen: connections are refused until whoever was told its number does, with SO_REUSEADDR as
    servers have it. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    holder = _Socket(family, socket.SOCK_STREAM)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, port))
    except OSError:
        holder.close()
        raise
    return holder


def accept_batch(listener: socket.socket, limit: int = 256) -> list[int]:
    """Descriptors of the connections that wait, up to `limit`.

    Raises OSError (EMFILE, ENFILE) only when none could be accepted: the caller pauses accepting then.
    """
    accepted: list[int] = []
    for _ in range(limit):
        try:
            fd, _ = listener._accept()  # type: ignore[attr-defined]  # accept() builds an object around it
        except OSError as error:
            if error.errno in _WOULD_BLOCK:
                break
            if error.errno in _NOT_ACCEPTED:
                continue
            if accepted:
                break
            raise
        os.set_blocking(fd, False)
        accepted.append(fd)
    return accepted


def start_connect(address: tuple[str, int], source: str | None = None) -> int:
    """Descriptor of a connection under way; writable when it is decided, see `connect_error`.

    `source` is an address of this machine to come from; its port is chosen together with the destination,
    so that each pair has all ports to itself. Raises OSError when the attempt fails at once.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    connection = _Socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source is not None:
            connection.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            connection.bind((source, 0))
        code = connection.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
    except OSError:
        connection.close()
        raise
    return connection.detach()


def pair() -> tuple[int, int]:
    """Two descriptors of one connection within this process; closing the one is the end at the other."""
    one, other = _pair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    return one.detach(), other.detach()


def connect_error(fd: int) -> int:
    """0 when the connection is up, else the errno of its failure."""
    connection = _Socket(fileno=fd)
    try:
        return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    finally:
        connection.detach()


def tcp_info(fd: int) -> bytes:
    """The kernel's struct tcp_info of a connection (tcp(7)); b"" for a descriptor that is none of TCP."""
    connection = _Socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return b""
    finally:
        connection.detach()


def local_host(fd: int) -> str:
    """The address of this machine that a connection has at this end."""
    connection = _Socket(fileno=fd)
    try:
        return str(connection.getsockname()[0])
    finally:
        connection.detach()


def local_address(fd: int) -> tuple[str, int] | None:
    """Address and port of this end of a connection; None for a descriptor that is none of the Internet."""
    connection = _Socket(fileno=fd)
    try:
        name = connection.getsockname()
    finally:
        connection.detach()
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None


def read(fd: int, size: int = READ_BYTES) -> bytes | None:
    """What has come; b"" at the end of the stream, None when there is nothing. Raises OSError on a reset."""
    try:
        return os.read(fd, size)
    except BlockingIOError:
        return None


def write(fd: int, data: bytes | bytearray | memoryview) -> int:
    """How many bytes the kernel took, 0 when its buffer is full. Raises OSError on a broken connection."""
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0


def reason(code: int) -> str:
    """What an errno means, in words."""
    return os.strerror(code)


def close(fd: int) -> None:
    """Close in order: FIN after what was sent."""
    _close(fd)


def reset(fd: int) -> None:
    """Close with RST instead of FIN, dropping what was not sent."""
    connection = _Socket(fileno=fd)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()
