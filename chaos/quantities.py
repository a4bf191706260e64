"""Numbers with units, as people write them in plans: `300ms`, `1.5s`, `5%`, `50KB/s`, `10KB`."""

import re

from chaos.errors import FaultSyntaxError

_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-zµ%/]*)\s*\Z")
_MILLISECONDS = {
    "us": 0.001,
    "µs": 0.001,
    "ms": 1.0,
    "s": 1000.0,
    "m": 60_000.0,
    "min": 60_000.0,
    "h": 3_600_000.0,
}
_BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "kib": 1024, "mib": 1024**2}


def _split(text: str) -> tuple[float, str]:
    match = _NUMBER.match(text)
    if match is None:
        raise FaultSyntaxError(f"{text!r} is not a number with a unit")
    return float(match[1]), match[2]


def milliseconds(text: str) -> float:
    """`300ms`, `1.5s`, `2m`. Raises FaultSyntaxError, as all of these do."""
    number, unit = _split(text)
    if unit not in _MILLISECONDS:
        raise FaultSyntaxError(f"{text!r} is not a time; write it like 300ms, 1.5s or 2m")
    return number * _MILLISECONDS[unit]


def seconds(text: str) -> float:
    """The same in seconds."""
    return milliseconds(text) / 1000


def share(text: str) -> float:
    """`5%` or `0.05`: from 0 to 1."""
    number, unit = _split(text)
    value = number / 100 if unit == "%" else number
    if unit not in ("", "%") or value > 1:
        raise FaultSyntaxError(f"{text!r} is not a share; write it like 5% or 0.05")
    return value


def size_bytes(text: str) -> int:
    """`10KB` (1000), `10KiB` (1024), `512`."""
    number, unit = _split(text)
    if unit.lower() not in _BYTES:
        raise FaultSyntaxError(f"{text!r} is not a size; write it like 10KB or 512B")
    return int(number * _BYTES[unit.lower()])


def rate_kb_s(text: str) -> int:
    """`50KB/s`, `1MB/s`: whole kilobytes a second."""
    amount, slash, unit = text.partition("/")
    if not slash or unit.strip() != "s":
        raise FaultSyntaxError(f"{text!r} is not a rate; write it like 50KB/s")
    rate = size_bytes(amount)
    if rate and rate < 1000:
        raise FaultSyntaxError(
            f"{text!r} is less than 1KB/s, the slowest there is; 0KB/s stalls without closing"
        )
    return rate // 1000
