"""What a carrier owes the lines, and which carriers there are.

A carrier is sans-I/O and one connection's: bytes of the wire in, frames' bytes out, and the other way round.
"""

import importlib
import pkgutil
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

from refserver.access import carriers


class Carrying(Protocol):
    """Opening → open → over; while it is not open, what is to be sealed goes nowhere."""

    @property
    def is_over(self) -> bool:
        """Nothing more comes: the peer has ended it, or has broken its rules."""

    def receive(self, data: bytes) -> bytes:
        """The frames' bytes in it. Never raises for what a peer may send."""

    def seal(self, frame: bytes) -> bytes:
        """What goes on the wire for `frame`, and before it whatever was to be taken."""

    def take(self) -> bytes:
        """What goes on the wire of its own accord: handshakes, answers to pings, the closing words."""

    def close(self) -> None:
        """The closing words are to be taken. Twice is allowed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A scheme to listen on. `carry(context)` is a new connection's carrier; the TLS context is None where
    `needs_certificate` is false."""

    scheme: str
    needs_certificate: bool
    carry: Callable[[ssl.SSLContext | None], Carrying]


@cache
def kinds() -> dict[str, Kind]:
    """By scheme."""
    modules = (
        importlib.import_module(f"{carriers.__name__}.{info.name}")
        for info in pkgutil.iter_modules(carriers.__path__)
    )
    found: list[Kind] = [module.KIND for module in modules if hasattr(module, "KIND")]
    return {kind.scheme: kind for kind in found}


def carrying(context: ssl.SSLContext | None) -> dict[str, Callable[[], Carrying] | None]:
    """By scheme of the access node what makes the carrier of a connection; None: plain TCP has none.
    `context` may be None where nothing that shows a certificate is listened on."""
    return {"tcp": None, **{scheme: partial(kind.carry, context) for scheme, kind in kinds().items()}}
