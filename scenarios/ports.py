"""Which local port each device's connections had, so that captured packets can be laid at its door."""

from pathlib import Path
from typing import Self

from ledger.errors import LedgerError
from reactor import sockets

PACKETS = "packets"
"""The folder of a run whose packets are kept; without it nobody asks for ports."""


class PortBook:
    """`packets/ports-<process>.csv`: a line a connection: monotonic ns, device, address, port.

    Connections over polls are left out: several devices' requests may share one. Raises LedgerError when it
    cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("w")
        except OSError as error:
            raise LedgerError(f"cannot write {path}: {error.strerror}") from error

    @classmethod
    def of(cls, run: Path, process: str) -> Self | None:
        """None for a run that keeps no packets."""
        folder = run / PACKETS
        return cls(folder / f"ports-{process}.csv") if folder.is_dir() else None

    def note(self, fd: int, device: int, now: float) -> None:
        """The device is connected by the descriptor."""
        address = sockets.local_address(fd)
        if address is not None:
            self._file.write(f"{round(now * 1e9)},{device},{address[0]},{address[1]}\n")

    def close(self) -> None:
        """Nothing more is noted."""
        try:
            self._file.close()
        except OSError as error:
            raise LedgerError(f"cannot write {self._path}: {error.strerror}") from error
