"""`wss://`: a WebSocket within TLS."""

import ssl

from refserver.access.carriers.kinds import Carrying, Kind
from refserver.access.carriers.tls import TlsCarrying
from refserver.access.carriers.websocket import WebSocketCarrying


class SecureWebSocketCarrying:
    """Two carriers, one within the other. `tls` may have got through its handshake already."""

    __slots__ = ("_tls", "_websocket")

    def __init__(self, tls: TlsCarrying) -> None:
        self._tls = tls
        self._websocket = WebSocketCarrying()

    @property
    def is_over(self) -> bool:
        return self._tls.is_over or self._websocket.is_over

    def receive(self, data: bytes) -> bytes:
        return self.receive_plain(self._tls.receive(data))

    def receive_plain(self, plain: bytes) -> bytes:
        """The same for what TLS has given out already."""
        return self._websocket.receive(plain) if plain else b""

    def seal(self, frame: bytes) -> bytes:
        return self._tls.seal(self._websocket.seal(frame))

    def take(self) -> bytes:
        return self._tls.seal(self._websocket.take())

    def close(self) -> None:
        self._websocket.close()
        # After TLS has said its end nothing can be sealed, so what is left to say comes first; whoever
        # takes it gets both.
        self._tls.put(self._websocket.take())
        self._tls.close()


def _carry(context: ssl.SSLContext | None) -> Carrying:
    assert context is not None
    return SecureWebSocketCarrying(TlsCarrying(context))


KIND = Kind(scheme="wss", needs_certificate=True, carry=_carry)
