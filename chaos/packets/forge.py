"""Single packets made by scapy, sent past the kernel's TCP: probes, forged resets, half-open handshakes."""

import _socket
import enum
import random
import select
import time
from collections.abc import Iterable, Sequence
from typing import Any

from chaos.errors import PacketsError
from chaos.packets.diag import Flow
from chaos.packets.namespace import Namespace
from chaos.packets.network import CLIENT_ADDRESS, DEVICE, SERVER_ADDRESS
from chaos.packets.pcap import Packet
from chaos.packets.segments import ACK, RST, SYN, Segment, segment

CHAT_PORTS = (80, 443, 8080, 14000)
NOBODY = "10.77.0.99"
"""An address on the clients' side that answers nothing."""
_ETH_P_ALL, _ICMP = 0x0003, 1
_PROBE_PORTS, _HALF_OPEN_PORT = range(61_000, 65_000), 30_000
"""Probes come from where the kernel takes no ports from by itself."""
_PROBE_TRIES = 3


class Port(enum.Enum):
    """What a port says to a SYN."""

    OPEN = "open"
    CLOSED = "closed"
    SILENT = "silent"
    UNREACHABLE = "unreachable"


def probe(
    namespace: Namespace, ports: Sequence[int] = CHAT_PORTS, *, timeout_s: float = 0.5
) -> dict[int, Port]:
    """What each of the server's ports says, asked for all of them at once by a SYN each; those that say
    nothing for `timeout_s` are asked again, three times in all.

    The kernel, which knows of no such connection, resets those that are answered. Raises PacketsError.
    """
    found = dict.fromkeys(ports, Port.SILENT)
    sources = random.sample(_PROBE_PORTS, len(ports))
    port_of = dict(zip(sources, ports, strict=True))
    with _Ear(namespace) as ear:
        for _ in range(_PROBE_TRIES):
            asked = [sport for sport, port in port_of.items() if found[port] is Port.SILENT]
            _send(namespace, [_tcp(CLIENT_ADDRESS, sport, port_of[sport], SYN) for sport in asked])
            until = time.monotonic() + timeout_s
            while Port.SILENT in found.values() and (left_s := until - time.monotonic()) > 0:
                for data in ear.hear(left_s):
                    port, says = _answer(data, port_of)
                    if says is not None:
                        found[port] = says
    return found


def half_open(namespace: Namespace, port: int, count: int) -> None:
    """`count` handshakes with the server are begun and never ended, from an address that nobody has.

    Raises PacketsError.
    """
    _send(namespace, [_tcp(NOBODY, _HALF_OPEN_PORT + number, port, SYN) for number in range(count)])


def reset(namespace: Namespace, flow: Flow, packets: Iterable[Packet]) -> None:
    """The server's end of the connection is reset, in the name of the client, who does not know.

    `flow`: as the client has it. `packets`: a capture of it, whose last acknowledgement tells where the
    connection is. Raises PacketsError.
    """
    last = _last_word(flow, packets)
    sequence = (last.sequence + last.span) % (1 << 32)
    made = _tcp(flow.address, flow.port, flow.peer_port, RST | ACK, sequence, last.acknowledgement)
    _send(namespace, [made])


def _last_word(flow: Flow, packets: Iterable[Packet]) -> Segment:
    last = None
    for packet in packets:
        found = segment(packet)
        if found is not None and found.flow == flow and found.flags & ACK:
            last = found
    if last is None:
        raise PacketsError(f"nothing of {flow} was captured: no reset can be forged for it")
    return last


def _tcp(
    source: str, source_port: int, port: int, flags: int, sequence: int = 1, acknowledgement: int = 0
) -> bytes:
    from scapy.layers.inet import IP, TCP

    header: Any = IP(src=source, dst=SERVER_ADDRESS)
    return bytes(header / TCP(sport=source_port, dport=port, flags=flags, seq=sequence, ack=acknowledgement))


def _send(namespace: Namespace, made: Iterable[bytes]) -> None:
    try:
        with namespace.entered():
            raw = _socket.socket(_socket.AF_INET, _socket.SOCK_RAW, _socket.IPPROTO_RAW)
        try:
            for each in made:
                raw.sendto(each, (SERVER_ADDRESS, 0))
        finally:
            raw.close()
    except OSError as error:
        raise PacketsError(f"cannot send a forged packet: {error.strerror or error}") from error


def _answer(data: bytes, source_ports: dict[int, int]) -> tuple[int, Port | None]:
    """Of which port, and what it says; None if the packet is something else."""
    from scapy.layers.inet import ICMP, IP, TCP, TCPerror

    heard: Any = IP(data)
    if heard.src == CLIENT_ADDRESS:
        return 0, None
    if TCP in heard and heard[TCP].dport in source_ports:
        flags = int(heard[TCP].flags)
        says = Port.CLOSED if flags & RST else Port.OPEN if flags & SYN else None
        return source_ports[heard[TCP].dport], says
    if ICMP in heard and TCPerror in heard and heard[TCPerror].sport in source_ports:
        return source_ports[heard[TCPerror].sport], Port.UNREACHABLE
    return 0, None


class _Ear:
    """Hears what comes to the device of a namespace, while the block lasts."""

    def __init__(self, namespace: Namespace) -> None:
        try:
            with namespace.entered():
                self._socket = _socket.socket(_socket.AF_PACKET, _socket.SOCK_DGRAM, 0)
            self._socket.bind((DEVICE, _ETH_P_ALL))
        except OSError as error:
            raise PacketsError(f"cannot open a packet socket: {error.strerror or error}") from error
        self._socket.setblocking(False)

    def __enter__(self) -> "_Ear":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def hear(self, within_s: float) -> list[bytes]:
        """What has come, at least one packet unless the time passes."""
        select.select([self._socket], (), (), within_s)
        heard = []
        while True:
            try:
                heard.append(self._socket.recv(2048))
            except BlockingIOError:
                return heard
