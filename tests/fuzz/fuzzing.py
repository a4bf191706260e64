"""Seeded inputs by the hundred thousand into one parser, and what it cost. Targets register themselves.

A target is a class in a module of `fuzz_targets` with `@target(NAME)`; adding one edits no list.
"""

import importlib
import pkgutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol, TypeVar


class Target(Protocol):
    """Made with a Random for its seeds, before the inputs that the same Random then makes."""

    def next_input(self, chance: Random) -> bytes: ...

    def feed(self, data: bytes, chance: Random) -> None:
        """Raises whatever is wrong: only what the parser promises to raise is caught in here."""

    def close(self) -> None: ...


T = TypeVar("T", bound=Callable[[Random], Target])

_registered: dict[str, Callable[[Random], Target]] = {}


def target(name: str) -> Callable[[T], T]:
    """Registers the decorated class."""

    def register(make: T) -> T:
        _registered[name] = make
        return make

    return register


def targets() -> dict[str, Callable[[Random], Target]]:
    """All targets by name, after importing every module of `fuzz_targets`."""
    package = importlib.import_module("fuzz_targets")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"fuzz_targets.{module.name}")
    return dict(sorted(_registered.items()))


@dataclass(frozen=True, slots=True)
class Crash:
    """`number`: which input it was, from 0, of those that the seed makes."""

    number: int
    data: bytes
    trace: str

    def __str__(self) -> str:
        return f"input {self.number}: {self.data[:2000].hex()}\n{self.trace}"


@dataclass(slots=True)
class Outcome:
    """`peak_bytes`: the most that this process held at once while it ran."""

    target: str
    seed: int
    inputs: int = 0
    crashes: list[Crash] = field(default_factory=list)
    seconds: float = 0.0
    peak_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"{self.target:10} {self.inputs:>9,} inputs  {len(self.crashes):>3} crashes  "
            f"{self.seconds:6.1f} s  {self.peak_bytes / 1e6:5.0f} MB at most  (seed {self.seed})"
        )


def run(
    name: str, inputs: int, *, seed: int = 1, budget_s: float = float("inf"), max_crashes: int = 10
) -> Outcome:
    """Feeds `inputs` inputs, fewer if `budget_s` of the processor are spent or `max_crashes` seen before."""
    chance = Random(seed)
    fuzzed = targets()[name](chance)
    outcome = Outcome(name, seed)
    _forget_peak()
    began, spent = time.perf_counter(), time.process_time()
    for number in range(inputs):
        data = fuzzed.next_input(chance)
        try:
            fuzzed.feed(data, chance)
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            outcome.crashes.append(Crash(number, data, traceback.format_exc()))
        outcome.inputs += 1
        if len(outcome.crashes) == max_crashes or time.process_time() - spent > budget_s:
            break
    outcome.seconds = time.perf_counter() - began
    outcome.peak_bytes = _peak_bytes()
    fuzzed.close()
    return outcome


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


_BYTES = (0x00, 0x01, 0x7F, 0x80, 0x90, 0xC0, 0xC1, 0xC7, 0xD9, 0xFF, 0x0A, 0x0D, 0x20, 0x22, 0x5C)
_LENGTHS = (
    0, 1, 7, 8, 0xFF, 0x100, 0xFFFF, 0x10000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 0x7FFFFFFF, 0xFFFFFFFF,
)  # fmt: skip


def damaged(data: bytes, chance: Random, other: bytes = b"") -> bytes:
    """`data` with one to four of the usual accidents; `other` is something to splice in."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        at = chance.randrange(len(out) + 1)
        until = min(len(out), at + chance.choice((1, 1, 2, 4, 16, 64)))
        match chance.randrange(9):
            case 0 if at < len(out):
                out[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(out):
                out[at] = chance.choice(_BYTES)
            case 2:
                out[at:at] = bytes((chance.choice(_BYTES),))
            case 3:
                del out[at:until]
            case 4:
                out[at:at] = out[at:until]
            case 5:
                del out[at:]
            case 6:
                out[at:until] = chance.randbytes(until - at)
            case 7:
                out[at : at + 4] = chance.choice(_LENGTHS).to_bytes(4, "big")
            case 8:
                out[at:until] = other[at:until]
    return bytes(out)


def pieces(data: bytes, chance: Random) -> list[bytes]:
    """`data` in one to four pieces."""
    if len(data) < 2 or chance.random() < 0.5:
        return [data]
    cuts = sorted({chance.randrange(1, len(data)) for _ in range(chance.randint(1, 3))})
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
