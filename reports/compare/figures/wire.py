"""Bytes both ways, with the headers of TCP and IP: of a heartbeat, a message, a connection."""

from collections.abc import Callable

from reports.compare.figure import Better, Figure, Measured, register
from reports.compare.run import Run
from reports.figures import size

_PATHS = {
    "heartbeat.bytes": ("a heartbeat", 1.0, 0.01),
    "heartbeat.payload_bytes": ("a heartbeat, payload", 1.0, 0.01),
    "message.bytes": ("a message, to all its devices", 10.0, 0.05),
    "message.payload_bytes": ("a message, payload", 10.0, 0.05),
    "bytes_per_connection_s": ("a connection and second", 1.0, 0.08),
}


def _measure(path: str) -> Callable[[Run], Measured | None]:
    def measure(run: Run) -> Measured | None:
        value = run.at(f"wire.{path}")
        return None if value is None else Measured(value)

    return measure


for _place, (_path, (_title, _floor, _noise)) in enumerate(_PATHS.items()):
    register(
        Figure(
            f"wire.{_path}", 300 + _place, "wire", f"on the wire, {_title}", size, Better.LOWER,
            _measure(_path), floor=_floor, noise=_noise,
        )
    )  # fmt: skip
