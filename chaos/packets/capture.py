"""A bounded capture of the connections of a namespace, as its device sees them: before any rule drops one."""

import _socket
import json
from pathlib import Path
from typing import Any

from chaos.errors import PacketsError
from chaos.packets.apart import Apart
from chaos.packets.catcher import FILES
from chaos.packets.namespace import Namespace

_ETH_P_ALL = 0x0003
_SO_RCVBUFFORCE = 33
_BUFFER_BYTES = 32 << 20
DEFAULT_BYTES, DEFAULT_SNAP_BYTES = 16 << 20, 2048


class Capture:
    """Runs from its making until `close`. Raises PacketsError.

    `connections`: those of as many as show themselves first are kept, 0 for all. Of the packets the last
    `most_bytes` are, in two files of `folder` that are written in turn, each up to `snap_bytes` long.
    """

    def __init__(
        self,
        namespace: Namespace,
        device: str,
        folder: Path,
        *,
        connections: int = 0,
        most_bytes: int = DEFAULT_BYTES,
        snap_bytes: int = DEFAULT_SNAP_BYTES,
    ) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PacketsError(f"cannot make {folder} for captured packets: {error.strerror}") from error
        self.folder = folder
        source = _packet_socket(namespace, device)
        try:
            self._process = Apart(
                "chaos.packets.catcher",
                [source.fileno()],
                str(folder.resolve()),
                str(most_bytes),
                str(snap_bytes),
                str(connections),
            )
            self.mark()
        finally:
            source.close()
        self.pid = self._process.pid

    @property
    def paths(self) -> list[Path]:
        """The files that there are, older packets first."""
        found = [path for path in (self.folder / name for name in FILES) if path.exists()]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def mark(self) -> dict[str, Any]:
        """All packets so far are in the files. How many: `packets` kept, `overrun` missed because they came
        too fast, `overwritten` how often older ones were given up; and `wall_minus_monotonic_ns`, the time of
        a packet less that of the ledger."""
        told: dict[str, Any] = json.loads(self._process.ask(b"mark"))
        return told

    def close(self) -> None:
        """Nothing is kept any more; the files stay."""
        self._process.close()


def _packet_socket(namespace: Namespace, device: str) -> "_socket.socket":
    with namespace.entered():
        try:
            # Without the link's header: a TUN device has none, and nobody looks at that of a cable.
            source = _socket.socket(_socket.AF_PACKET, _socket.SOCK_DGRAM, 0)
        except OSError as error:
            raise PacketsError(f"cannot open a packet socket: {error.strerror}") from error
        try:
            source.setsockopt(_socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
            source.bind((device, _ETH_P_ALL))
        except OSError as error:
            source.close()
            raise PacketsError(f"cannot capture at {device}: {error.strerror}") from error
    return source
