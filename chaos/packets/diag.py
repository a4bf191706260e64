"""What the kernel knows of the TCP connections of a namespace, whoever holds them (sock_diag(7))."""

import _socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from chaos.errors import PacketsError
from chaos.packets.namespace import Namespace

ESTABLISHED, SYN_RECEIVED = 1, 12
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_INET_DIAG_INFO = 2
_HEADER = struct.Struct("=IHHII")
_ASK = struct.Struct("=BBBxI")
_NO_ID = bytes(48)
_ANSWER_BYTES = 72
_TOTAL_RETRANSMITTED_AT = 100  # of struct tcp_info: eight bytes, then four for each, this the twenty-fourth


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """A connection as seen from one of its ends: IPv4 addresses as text, ports."""

    address: str
    port: int
    peer_address: str
    peer_port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port} > {self.peer_address}:{self.peer_port}"

    def other_way(self) -> "Flow":
        return Flow(self.peer_address, self.peer_port, self.address, self.port)


def connections(namespace: Namespace, state: int = ESTABLISHED) -> dict[Flow, int]:
    """Of each connection in that state, tcpi_total_retrans: how often the near end sent something again.

    Raises PacketsError.
    """
    with namespace.entered():
        netlink = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
    try:
        request = _ASK.pack(_socket.AF_INET, _socket.IPPROTO_TCP, 1 << (_INET_DIAG_INFO - 1), 1 << state)
        length = _HEADER.size + len(request) + len(_NO_ID)
        netlink.send(_HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + request + _NO_ID)
        return dict(map(_flow, _messages(netlink)))
    except OSError as error:
        raise PacketsError(f"cannot ask for connections: {error.strerror or error}") from error
    finally:
        netlink.close()


def _messages(netlink: "_socket.socket") -> Iterator[bytes]:
    while True:
        data, at = netlink.recv(1 << 18), 0
        while at < len(data):
            length, kind, *_ = _HEADER.unpack_from(data, at)
            if kind == _DONE:
                return
            if kind == _ERROR:
                code = -struct.unpack_from("=i", data, at + _HEADER.size)[0]
                raise OSError(code, "the kernel has no sock_diag for TCP")
            yield data[at + _HEADER.size : at + length]
            at += (length + 3) & ~3


def _flow(message: bytes) -> tuple[Flow, int]:
    port, peer_port = struct.unpack_from("!HH", message, 4)
    address, peer = _socket.inet_ntoa(message[8:12]), _socket.inet_ntoa(message[24:28])
    retransmitted, at = 0, _ANSWER_BYTES
    while at < len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == _INET_DIAG_INFO:
            (retransmitted,) = struct.unpack_from("=I", message, at + 4 + _TOTAL_RETRANSMITTED_AT)
        at += max((length + 3) & ~3, 4)
    return Flow(address, port, peer, peer_port), retransmitted
