"""TCP segments of captured packets, and which of them were sent again."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from struct import unpack_from
from typing import NamedTuple

from chaos.packets.diag import Flow
from chaos.packets.pcap import Packet

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_TCP = 6
_SPACE = 1 << 32


class Segment(NamedTuple):
    """`sequence` of its first byte; `size` of its payload, of which `payload` is what was captured."""

    at_ns: int
    flow: Flow
    sequence: int
    acknowledgement: int
    flags: int
    size: int
    payload: bytes
    data: bytes

    @property
    def span(self) -> int:
        """How far it moves the sequence: SYN and FIN count as a byte."""
        return self.size + bool(self.flags & SYN) + bool(self.flags & FIN)


@dataclass(slots=True)
class Sent:
    """What one end of a connection sent: `packets`, `retransmissions` of them, payload `bytes` once each."""

    packets: int = 0
    retransmissions: int = 0
    bytes: int = 0
    highest: int | None = None


def segment(packet: Packet) -> Segment | None:
    """None for what is no whole TCP header over IPv4."""
    data = packet.data
    header = (data[0] & 0x0F) * 4 if data else 0
    if len(data) < header + 20 or data[0] >> 4 != 4 or data[9] != _TCP:
        return None
    source, target, sequence, acknowledgement, offset, flags = unpack_from("!HHIIBB", data, header)
    begin = header + (offset >> 4) * 4
    flow = Flow(socket.inet_ntoa(data[12:16]), source, socket.inet_ntoa(data[16:20]), target)
    size = max(unpack_from("!H", data, 2)[0] - begin, 0)
    return Segment(
        packet.at_ns, flow, sequence, acknowledgement, flags, size, data[begin : begin + size], data
    )


def sent_again(segment: Segment, sent: Sent) -> bool:
    """Whether nothing of the segment is new after what its end has sent; `sent` then knows of it."""
    sent.packets += 1
    if not segment.span:
        return False
    end = (segment.sequence + segment.span) % _SPACE
    if sent.highest is not None and _is_before_or_at(end, sent.highest):
        sent.retransmissions += 1
        return True
    new = segment.size if sent.highest is None else min((end - sent.highest) % _SPACE, segment.size)
    partly = sent.highest is not None and _is_before_or_at((segment.sequence + 1) % _SPACE, sent.highest)
    sent.bytes += new
    sent.highest = end
    sent.retransmissions += partly
    return partly


def retransmissions(packets: Iterable[Packet]) -> dict[Flow, Sent]:
    """By flow, each direction of a connection for itself, as they left the end that was captured at.

    A packet that is captured where it arrives is counted as sent again only if its first copy came too.
    """
    found: dict[Flow, Sent] = {}
    for packet in packets:
        each = segment(packet)
        if each is not None:
            sent_again(each, found.setdefault(each.flow, Sent()))
    return found


def _is_before_or_at(one: int, other: int) -> bool:
    return (other - one) % _SPACE < _SPACE // 2
