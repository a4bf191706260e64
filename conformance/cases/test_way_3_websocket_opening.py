"""WAY.3: a WebSocket is opened by browsers and through proxies, each of which writes in its own way."""

import pytest

from conformance.accounts import Block
from conformance.bare_websocket import BINARY, OPENING, BareWebSocket
from conformance.target import Target
from protocol import frames
from protocol.messages import LoggedIn, Login

pytestmark = [
    pytest.mark.clause("WAY.3"),
    pytest.mark.only_over("ws", "wss", why="only a WebSocket is opened by a request"),
]

_BROWSER = (
    "User-Agent: Mozilla/5.0\r\nAccept: */*\r\nAccept-Language: zh-CN,en;q=0.5\r\n"
    "Sec-WebSocket-Version: 13\r\nOrigin: https://chat.example\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Key: {key}\r\n"
    "Connection: keep-alive, Upgrade\r\nCookie: a=b\r\nPragma: no-cache\r\nUpgrade: WebSocket\r\n"
)
_WAYS = {
    "as a browser does": (_BROWSER, 1 << 16),
    "with names in lower case": (OPENING.lower(), 1 << 16),
    "in pieces": (OPENING, 40),
}


@pytest.mark.parametrize("way", _WAYS)
def test_a_websocket_is_opened_as_clients_do_it(block: Block, target: Target, way: str) -> None:
    """... WebSocket: whoever opens one as RFC 6455 says has one.

    A WebSocket is opened as a browser does, with several words in Connection and an extension on offer, with
    header names in lower case, and by a request that comes in pieces. Expected: 101 without an extension,
    and LOGGED_IN for a LOGIN.
    """
    fields, piece_bytes = _WAYS[way]
    with BareWebSocket(target.endpoints[0], target.ca, fields=fields, piece_bytes=piece_bytes) as bare:
        extended = "sec-websocket-extensions" in bare.head.lower()
        assert not extended, f"{way}: expected no extension to be agreed on, got {bare.head!r}"
        bare.send(BINARY, frames.encode(Login(block.users[0].token, "opening", "conformance")))
        answer = bare.next_message()
        assert answer is not None, f"{way}: expected an answer to LOGIN, the server closed"
        message = frames.FrameBuffer(answer.payload).next_message()
        assert isinstance(message, LoggedIn), f"{way}: expected LOGGED_IN, got {message}"
