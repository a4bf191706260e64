"""What a run keeps of its packets: those of some connections, and whether the kernel counted the same."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos.packets.capture import Capture
from chaos.packets.network import DEVICE, Network
from chaos.packets.pcap import packets
from chaos.packets.segments import retransmissions
from chatproof.plan import Plan

FOLDER, FLOWS = "packets", "flows.json"


class Evidence:
    """Of the connections that were captured at the clients' side, while it is made."""

    def __init__(self, network: Network, capture: Capture) -> None:
        self._network = network
        self._capture = capture

    def conclude(self) -> None:
        """packets/flows.json says of each connection how often the client sent something again: `captured` as
        its packets tell, `kernel` as tcpi_total_retrans does (null if it is closed), and whether both agree.

        null as well where older packets were given up. To be called while the connections are still there.
        Raises PacketsError, OSError.
        """
        # What is sent between two looks may be in the one count and not yet in the other.
        before = self._network.flows()
        told = self._capture.mark()
        after = self._network.flows()
        whole = not told["overwritten"] and not told["overrun"]
        rows: list[dict[str, Any]] = []
        for flow, sent in sorted(retransmissions(packets(*self._capture.paths)).items()):
            if flow.address == self._network.client_address:
                known = flow in before and flow in after
                agrees = before[flow] <= sent.retransmissions <= after[flow] if known and whole else None
                rows.append(
                    {
                        "connection": str(flow),
                        "packets": sent.packets,
                        "bytes": sent.bytes,
                        "captured": sent.retransmissions,
                        "kernel": after.get(flow),
                        "agrees": agrees,
                    }
                )
        report = {**told, "files": [path.name for path in self._capture.paths], "connections": rows}
        (self._capture.folder / FLOWS).write_text(json.dumps(report, indent=1))


@contextmanager
def evidence(plan: Plan, network: Network | None, folder: Path) -> Iterator[Evidence | None]:
    """Packets are kept for the length of the block, if the plan wants any. Raises PacketsError."""
    if network is None or not plan.network.capture:
        yield None
        return
    capture = Capture(
        network.client,
        DEVICE,
        folder / FOLDER,
        connections=plan.network.capture,
        most_bytes=plan.network.capture_mb << 20,
    )
    try:
        yield Evidence(network, capture)
    finally:
        capture.close()
