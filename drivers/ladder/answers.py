"""What is believed of an answer: exactly what docs/protocol.md says, and nothing else.

A captive portal answers everything, with 200 and a page to log in on; a broken resolver gives the address of
somebody else. Neither may look like a way in.
"""

from ipaddress import ip_address
from typing import Any, TypeVar

import msgspec

from drivers.carriers.http_line import Answer
from protocol.errors import ErrorCode
from protocol.messages import Error, Message

T = TypeVar("T")

_MOST_POINTS = 256
_MOST_ADDRESSES = 16
_LEAST_TTL_S, _MOST_TTL_S = 1.0, 86400.0


class Unbelievable(Exception):
    """Somebody answered, but not as a scheduler or a chat server does; the text says how."""


class Point(msgspec.Struct, frozen=True):
    """An access point as a scheduler names it. `load`: connections held there."""

    url: str
    load: float


class _Endpoints(msgspec.Struct):
    endpoints: list[Point]


class _Addresses(msgspec.Struct):
    name: str
    addresses: list[str]
    ttl_s: float


def points_in(answer: Answer) -> list[Point]:
    """What a scheduler has told. Raises Unbelievable."""
    points = _decoded(answer, _Endpoints).endpoints[:_MOST_POINTS]
    if not points:
        raise Unbelievable("a scheduler that knows no access point")
    return points


def addresses_in(answer: Answer, name: str) -> tuple[list[str], float]:
    """Addresses and for how many seconds they hold. Raises Unbelievable."""
    told = _decoded(answer, _Addresses)
    if told.name.lower().rstrip(".") != name.lower().rstrip("."):
        raise Unbelievable(f"an answer about {told.name[:80]!r}")
    if not told.addresses:
        raise Unbelievable("no address in the answer")
    for address in told.addresses:
        try:
            ip_address(address)
        except ValueError as error:
            raise Unbelievable(str(error)) from error
    return told.addresses[:_MOST_ADDRESSES], min(max(told.ttl_s, _LEAST_TTL_S), _MOST_TTL_S)


def check_probe(message: Message | None) -> None:
    """A chat server turns down a PING before the login, and says so. Raises Unbelievable."""
    if message is None:
        raise Unbelievable("the connection was closed without an answer")
    if not isinstance(message, Error):
        raise Unbelievable(f"{type(message).__name__} to somebody who is not logged in")
    if message.code != ErrorCode.NOT_LOGGED_IN:
        raise Unbelievable(f"{message.code} {message.text}")


def _decoded(answer: Answer, kind: type[T]) -> T:
    if answer.status != 200:
        raise Unbelievable(f"HTTP status {answer.status}")
    try:
        found: Any = msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = "a web page" if answer.body.lstrip()[:1] == b"<" else str(error)
        raise Unbelievable(f"{what} instead of an answer") from error
    decoded: T = found
    return decoded
