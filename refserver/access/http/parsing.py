"""Bytes to HTTP/1.1 requests, bounded: httptools parses, this file counts."""

from http import HTTPStatus

import httptools
import msgspec

MAX_HEADER_BYTES = 16 << 10
MAX_BODY_BYTES = 2 << 20


class Request(msgspec.Struct, gc=False, eq=False):
    """Header names in lower case; of a repeated header the last. `target` as sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


class Refused(Exception):
    """The bytes are no request that this server takes; the connection ends with `status`."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class RequestParser:
    """Exists from a request's first byte to its last; an idle connection has none."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._complete: list[Request] = []
        self._refused: Refused | None = None
        self.wants_continue = False
        self._restart()

    def _restart(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._in_headers = True
        self._body: list[bytes] = []
        self._body_bytes = 0
        self.is_idle = True

    def feed(self, data: bytes) -> list[Request]:
        """The requests that `data` completes. Raises Refused; nothing can be parsed after that."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # There is nothing to upgrade to: the request gets its answer, and what follows it, which would
            # be in another protocol, is not looked at.
            if self._complete:
                self._complete[-1].keep_alive = False
        except httptools.HttpParserError as error:
            self._refused = self._refused or Refused(HTTPStatus.BAD_REQUEST, f"malformed request: {error}")
        if self._in_headers and not self.is_idle:
            # A field that never ends is not reported by the parser, so the bytes themselves are counted.
            self._header_bytes += len(data)
            self._check_headers()
        complete, self._complete = self._complete, []
        if self._refused is not None and not complete:
            raise self._refused
        return complete

    @property
    def refused(self) -> Refused | None:
        """What was wrong after the last complete request."""
        return self._refused

    def _check_headers(self) -> None:
        if self._header_bytes > MAX_HEADER_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"the header is larger than {MAX_HEADER_BYTES} bytes",
            )

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self._refused = self._refused or Refused(status, text)

    # -- called by httptools

    def on_message_begin(self) -> None:
        self._restart()
        self.is_idle = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        self._check_headers()
        if self._refused is None:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._header_bytes += len(self._url)
        self._check_headers()
        declared = self._headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
            self._refuse_body()
        self.wants_continue = self._headers.get("expect", "").lower() == "100-continue"

    def on_body(self, body: bytes) -> None:
        self.wants_continue = False
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            self._body.clear()
            self._refuse_body()
        else:
            self._body.append(body)

    def _refuse_body(self) -> None:
        self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES} bytes")

    def on_message_complete(self) -> None:
        self.is_idle = True
        self.wants_continue = False
        if self._refused is None:
            self._complete.append(
                Request(
                    method=self._parser.get_method().decode("ascii"),
                    target=self._url.decode("latin-1"),
                    headers=self._headers,
                    body=b"".join(self._body),
                    keep_alive=self._parser.should_keep_alive(),
                )
            )
