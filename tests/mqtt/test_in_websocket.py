"""WebSocket messages of dialects that are not frames of chat: subprotocol, text, a message each."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from drivers.carriers.websocket import CARRIER, WebSocketSession
from drivers.contract import Ended, Identity, InWebSocket, Messages
from drivers.dialects.mqtt import DIALECT
from drivers.endpoints import parse_target
from drivers.events import Event
from protocol.websocket import BinaryChannel, Channel, Opcode, TextChannel, accept_key, encode

CONNACK = b"\x20\x02\x00\x00"


def opened(session: WebSocketSession, agreed: str) -> list[Event]:
    """The server agrees; what the session makes of it."""
    request = session.take().decode()
    key = request.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n"
    )
    return session.receive((head + agreed + "\r\n").encode())


def session_of(use: InWebSocket | None = DIALECT.websocket) -> WebSocketSession:
    dialect = replace(DIALECT, websocket=use)
    carrier = CARRIER.at(urlsplit("mqtt+ws://broker"), dialect)
    assert carrier.wrap is not None
    session = carrier.wrap(dialect.new_session())
    assert isinstance(session, WebSocketSession)
    return session


def test_the_subprotocol_is_asked_for_and_has_to_be_agreed_to() -> None:
    assert b"Sec-WebSocket-Protocol: mqtt\r\n" in session_of().take()
    assert opened(session_of(), "Sec-WebSocket-Protocol: mqtt\r\n") == []
    for agreed in ("", "Sec-WebSocket-Protocol: chat\r\n"):
        (ended,) = opened(session_of(), agreed)
        assert isinstance(ended, Ended)
        assert "subprotocol" in ended.detail


def test_packets_travel_in_binary_messages_and_may_be_cut_anywhere() -> None:
    session = session_of()
    session.login(Identity("ann", "phone", "secret"), 0, 60)
    opened(session, "Sec-WebSocket-Protocol: mqtt\r\n")
    server = BinaryChannel(is_client=False)
    assert server.receive(session.take())[:1] == b"\x10"
    for piece in (CONNACK[:1], CONNACK[1:]):
        assert session.receive(encode(Opcode.BINARY, piece, masked=False)) == []
    assert server.receive(session.take())[:1] == b"\x82"  # SUBSCRIBE: the CONNACK was understood


@pytest.mark.parametrize(
    ("channel", "wrong"), [(BinaryChannel, Opcode.TEXT), (TextChannel, Opcode.BINARY), (Channel, Opcode.TEXT)]
)
def test_a_message_of_the_other_kind_is_refused(channel: type[Channel], wrong: Opcode) -> None:
    receiver = channel(is_client=True)
    assert receiver.receive(encode(wrong, b"x", masked=False)) == b""
    assert receiver.is_broken


def test_each_part_is_a_text_message_of_its_own() -> None:
    session = session_of(InWebSocket("/ws", messages=Messages.TEXT, split=lambda data: [data[:3], data[3:]]))
    session.login(Identity("ann", "phone", "secret"), 0, 60)
    opened(session, "")
    out = session.take()
    assert (out[0], out[1]) == (0x80 | Opcode.TEXT, 0x80 | 3)
    first = 2 + 4 + 3  # head, mask and payload
    assert out[first] == 0x80 | Opcode.TEXT
    server = TextChannel(is_client=False)
    assert server.receive(out)[:1] == b"\x10"


def test_a_dialect_that_has_no_websocket_says_so() -> None:
    assert parse_target("mqtt+ws://broker").new_session().take().startswith(b"GET /mqtt HTTP/1.1\r\n")
    with pytest.raises(ValueError, match="does not travel in a WebSocket"):
        session_of(None)
