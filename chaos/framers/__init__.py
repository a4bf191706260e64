"""Framers, one file a protocol, found by looking: where the messages of a stream begin and end, and no more.

A file registers a Framer with `@framer`. A stream is known by its first byte; from where it turns out not to
be framed so, everything passes untouched (NotFramed).
"""

import functools
import importlib
import pkgutil
from abc import ABC, abstractmethod
from typing import ClassVar, TypeVar

from chaos.errors import ChaosError

F = TypeVar("F", bound="type[Framer]")

_registered: dict[str, "Framer"] = {}


class NotFramed(ChaosError):
    """The stream is none of the protocol from here on."""


class Framer(ABC):
    """Knows one protocol, and no stream: all state is the follower's (`chaos.framing`).

    `first_bytes`: with which a stream of either direction can begin; no two framers share one. `head_bytes`:
    at most so many are needed to tell a frame's length. `kinds`: those that messages can be of. `fragments`:
    whether a message can be several frames. `has_prelude`: whether something comes before the first frame.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    first_bytes: ClassVar[bytes]
    head_bytes: ClassVar[int]
    fragments: ClassVar[bool] = False
    has_prelude: ClassVar[bool] = False

    @abstractmethod
    def length(self, data: bytes | bytearray, at: int) -> int | None:
        """Bytes of the frame at `at`, None while that cannot be told. Raises NotFramed."""

    @abstractmethod
    def kind(self, message: bytes) -> str:
        """What kind of message it is, in lower case, such as "push"; what is none of `kinds` by number."""

    @abstractmethod
    def body_at(self, message: bytes) -> int:
        """Where the part begins that has nothing to do with framing; the length if there is none."""

    @abstractmethod
    def spoil(self, message: bytes, draw: float) -> bytes:
        """As long as `message`, but whoever reads it has to refuse it. `draw`: from [0, 1), to choose how."""

    def prelude(self, head: bytes) -> int | None:
        """How many bytes stand before the first frame, None while that cannot be told. Raises NotFramed."""
        return 0

    def opens(self, data: bytes | bytearray, at: int, is_open: bool) -> bool:
        """Whether behind the frame at `at` a message goes on; `is_open`: whether one did before it."""
        return False


def framer(kind: F) -> F:
    """Register a Framer under its name."""
    _registered[kind.name] = kind()
    return kind


@functools.cache
def framers() -> dict[str, Framer]:
    """All framers by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_registered.items()))


@functools.cache
def by_first_byte() -> dict[int, Framer]:
    """Which framer a stream that begins so belongs to."""
    return {byte: each for each in framers().values() for byte in each.first_bytes}
