"""HTTP answers as bytes: JSON, or problem details (RFC 9457)."""

import email.utils
import re
import time
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

_ENCODER = msgspec.json.Encoder()
_FIRST_NUMBER = re.compile(r"\d+")


class Problem(msgspec.Struct, omit_defaults=True):
    """`status` is the code of the protocol's ERROR; `cid` is set when a send was turned down."""

    title: str
    status: int
    detail: str
    cid: str | None = None


class Answer(msgspec.Struct, gc=False):
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


def json(value: object, status: int = 200) -> Answer:
    return Answer(status, _ENCODER.encode(value))


def problem(
    status: int, detail: str, *, cid: str | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """With `WWW-Authenticate` for 401, and `Retry-After` for 429 and 503 (milliseconds as in `detail`)."""
    status = status if 400 <= status < 600 else HTTPStatus.INTERNAL_SERVER_ERROR
    extra = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        extra["WWW-Authenticate"] = "Bearer"
    elif status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        extra.setdefault("Retry-After", str(_retry_after_s(detail)))
    body = _ENCODER.encode(Problem(_phrase(status), status, detail, cid))
    return Answer(status, body, "application/problem+json", extra)


def to_bytes(answer: Answer, *, keep_alive: bool, head: bool) -> bytes:
    """The whole answer; without its body for HEAD, whose length is told all the same."""
    lines = [
        f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
        f"Date: {_date(int(time.time()))}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    if not keep_alive:
        lines.append("Connection: close")
    header = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return header if head else header + answer.body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _retry_after_s(detail: str) -> int:
    milliseconds = _FIRST_NUMBER.search(detail)
    return max(1, -(-int(milliseconds.group()) // 1000)) if milliseconds else 1


_date_of: tuple[int, str] = (0, "")


def _date(second: int) -> str:
    global _date_of
    if _date_of[0] != second:
        _date_of = (second, email.utils.formatdate(second, usegmt=True))
    return _date_of[1]
