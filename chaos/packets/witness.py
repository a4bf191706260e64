"""The packets of a connection around a moment, as rows of text for a report."""

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.packets.diag import Flow
from chaos.packets.pcap import Packet
from chaos.packets.segments import Segment, Sent, segment, sent_again
from protocol.errors import ProtocolError
from protocol.frames import FrameBuffer

_FLAGS = ((0x02, "SYN"), (0x01, "FIN"), (0x04, "RST"), (0x08, "PSH"), (0x10, "ACK"))


@dataclass(frozen=True, slots=True)
class Row:
    """`after_ms`: the moment. `arrow` "→" from the flow's own end, "←" to it. `sequence` and
    `acknowledgement` count from the first that was captured. `remark`: sent again, and what it carries."""

    after_ms: float
    arrow: str
    flags: str
    sequence: int
    acknowledgement: int
    size: int
    remark: str

    def __str__(self) -> str:
        numbers = f"seq {self.sequence:<9} ack {self.acknowledgement:<9} len {self.size:<5}"
        return f"{self.after_ms:+10.3f} ms  {self.arrow}  {self.flags:<11}  {numbers}  {self.remark}".rstrip()


def around(
    packets: Iterable[Packet],
    flow: Flow,
    at_ns: int,
    *,
    before_s: float = 2.0,
    after_s: float = 2.0,
    most: int = 50,
) -> list[Row]:
    """Rows of both directions, oldest first, of those `most` that are closest to `at_ns`.

    `at_ns` is on the clock of the capture: that of the ledger plus `wall_minus_monotonic_ns`.
    """
    rows: list[tuple[int, Row]] = []
    first: dict[Flow, int] = {}
    sent: dict[Flow, Sent] = {}
    for packet in packets:
        found = segment(packet)
        if found is None or found.flow not in (flow, flow.other_way()):
            continue
        first.setdefault(found.flow, found.sequence)
        first.setdefault(found.flow.other_way(), found.acknowledgement)
        again = sent_again(found, sent.setdefault(found.flow, Sent()))
        if -before_s * 1e9 <= found.at_ns - at_ns <= after_s * 1e9:
            rows.append((found.at_ns, _row(found, flow, at_ns, first, again)))
    closest = sorted(rows, key=lambda row: abs(row[0] - at_ns))[:most]
    return [row for _, row in sorted(closest, key=lambda row: row[0])]


def _row(found: Segment, flow: Flow, at_ns: int, first: dict[Flow, int], again: bool) -> Row:
    remarks = ["sent again"] if again else []
    remarks += _carried(found.payload, found.size)
    acknowledged = first[found.flow.other_way()] if found.flags & 0x10 else found.acknowledgement
    return Row(
        after_ms=(found.at_ns - at_ns) / 1e6,
        arrow="→" if found.flow == flow else "←",
        flags=" ".join(name for bit, name in _FLAGS if found.flags & bit),
        sequence=(found.sequence - first[found.flow]) % (1 << 32),
        acknowledgement=(found.acknowledgement - acknowledged) % (1 << 32),
        size=found.size,
        remark=", ".join(remarks),
    )


def _carried(payload: bytes, size: int) -> list[str]:
    """Names of the chat messages that begin in it, as far as it begins with one."""
    buffer, names = FrameBuffer(compression=True), []
    try:
        buffer.feed(payload)
        while (message := buffer.next_message()) is not None:
            names.append(type(message).__name__.upper())
    except ProtocolError:
        return names  # the middle of a message, or nothing of chat at all
    if size and not buffer.is_empty:
        names.append("…")
    return names
