"""What the clients of a case sent and received, for whoever has to find out why a case failed.

Of each client the first and the last lines are kept, of each body its beginning, of tokens and passwords
nothing.
"""

import json
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest

from protocol import frames
from protocol.errors import RemoteProtocolError
from protocol.limits import HEADER_BYTES, MAGIC
from protocol.messages import LoggedIn, Login, Message

_FIRST = 25
_LAST = 25
_LINES = 300
_BODY_BYTES = 48
_WEB_CHARS = 300
_ITEMS = 3
_HELD_BYTES = 16384
_ARROWS = {"up": "→", "down": "←", "": " "}
_SECRETS = frozenset({"token", "expired_token", "password"})


class _Line(NamedTuple):
    at: float
    direction: str
    what: bytes | str


class Heard:
    """One client. `name` is what its login says it is, from then on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._device = ""
        self._first: list[_Line] = []
        self._last: deque[_Line] = deque(maxlen=_LAST)
        self._count = 0

    def frame(self, direction: str, frame: bytes) -> None:
        """A whole frame, or bytes that are none."""
        kind = frame[1] if len(frame) > 1 and frame[0] == MAGIC else 0
        if kind in (Login.TYPE, LoggedIn.TYPE):
            self._learn(_decoded(frame))
        # Described later, as most lines are never shown; but large ones are not kept that long.
        self._add(direction, frame if len(frame) <= _HELD_BYTES else describe(frame))

    def web(self, direction: str, head: str, content: object) -> None:
        """A request or its answer."""
        text = "" if content is None else json.dumps(_without_secrets(content), ensure_ascii=False)
        more = f" … {len(text):,} characters" if len(text) > _WEB_CHARS else ""
        self._add(direction, f"{head} {text[:_WEB_CHARS]}{more}".rstrip())

    def note(self, text: str, at: float | None = None) -> None:
        """Something that happened and is no message."""
        self._add("", text, at)

    def kept(self) -> Iterator[_Line]:
        """The first and the last lines, and between them how many are missing."""
        left_out = self._count - len(self._first) - len(self._last)
        yield from self._first
        if left_out:
            yield _Line(self._last[0].at, "", f"… {left_out:,} more")
        yield from self._last

    def written(self, line: _Line) -> str:
        """The line without its time."""
        what = line.what if isinstance(line.what, str) else describe(line.what)
        return f"{self.name}  {_ARROWS[line.direction]} {what}"

    def _add(self, direction: str, what: bytes | str, at: float | None = None) -> None:
        line = _Line(time.monotonic() if at is None else at, direction, what)
        self._count += 1
        if len(self._first) < _FIRST:
            self._first.append(line)
        else:
            self._last.append(line)

    def _learn(self, message: Message | None) -> None:
        if isinstance(message, Login):
            self._device = message.device
        elif isinstance(message, LoggedIn) and "/" not in self.name and message.user != "-":
            self.name = f"{message.user}/{self._device}"


class WireLog:
    """All clients of a case."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._heard: list[Heard] = []

    def client(self, name: str = "") -> Heard:
        """Another client, called by its number if it has no name."""
        self._heard.append(Heard(name or f"connection {len(self._heard) + 1}"))
        return self._heard[-1]

    def lines(self) -> list[str]:
        """In the order of time, with seconds since the case began; 300 at most."""
        found = [(line.at, heard, line) for heard in self._heard for line in heard.kept()]
        found.sort(key=lambda each: each[0])
        left_out = len(found) - _LINES
        shown = found if left_out <= 0 else [*found[: _LINES // 2], *found[-_LINES // 2 :]]
        written = [f"{at - self._began:8.3f}  {heard.written(line)}" for at, heard, line in shown]
        if left_out > 0:
            written.insert(_LINES // 2, f"{'':8}  … {left_out:,} lines left out")
        return written


log_key = pytest.StashKey[WireLog]()
"""The log of a case, or of what the cases of a file share."""


def describe(frame: bytes) -> str:
    """A frame in a line: what kind of message, and its fields."""
    message = _decoded(frame)
    if message is None:
        # Of what cannot be read only the header, so that no token is shown that is in it somewhere.
        return f"{len(frame):,} bytes that are no message: {frame[:HEADER_BYTES].hex(' ')} …"
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(message).__name__).upper()
    return " ".join([name, *_fields(message)])


def told(event: msgspec.Struct) -> str:
    """What a client reported, in a line."""
    return " ".join([type(event).__name__, *_fields(event)])


def _decoded(frame: bytes) -> Message | None:
    try:
        return frames.FrameBuffer(frame, compression=True).next_message()
    except RemoteProtocolError:
        return None


def _fields(message: msgspec.Struct) -> Iterator[str]:
    for name, default in _named(type(message)):
        value = getattr(message, name)
        if value is None or value == default:
            continue
        yield f"{name}={'(not shown)' if name in _SECRETS else _value(value)}"


@cache
def _named(kind: type[msgspec.Struct]) -> Sequence[tuple[str, object]]:
    return [(field.name, field.default) for field in msgspec.structs.fields(kind)]


def _value(value: Any) -> str:
    if isinstance(value, bytes):
        more = f" … {len(value):,} bytes" if len(value) > _BODY_BYTES else ""
        return f"{value[:_BODY_BYTES]!r}{more}"
    if isinstance(value, str):
        return value if len(value) <= 2 * _BODY_BYTES else f"{value[: 2 * _BODY_BYTES]} … {len(value):,}"
    if isinstance(value, list):
        more = f", … {len(value):,} in all" if len(value) > _ITEMS else ""
        return f"[{', '.join(map(_value, value[:_ITEMS]))}{more}]"
    if isinstance(value, msgspec.Struct):
        return f"({' '.join(_fields(value))})"
    return str(value)


def _without_secrets(content: object) -> object:
    if isinstance(content, dict):
        return {
            key: "(not shown)" if key in _SECRETS else _without_secrets(value)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_without_secrets(each) for each in content]
    return content
