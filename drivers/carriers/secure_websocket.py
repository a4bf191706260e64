"""WebSocket within TLS: `chat+wss://HOST:PORT`, with the options of both."""

from collections.abc import Callable
from urllib.parse import SplitResult

from drivers.carriers import tls, websocket
from drivers.carriers.wrapped import UrlCarrier
from drivers.contract import Dialect, Session


def wrap_for(url: SplitResult, dialect: Dialect) -> Callable[[Session], Session]:
    """Raises ValueError like those of both."""
    encrypt, talk = tls.wrap_for(url, dialect), websocket.wrap_for(url, dialect)
    return lambda session: encrypt(talk(session))


CARRIER = UrlCarrier(name="wss", wrap_for=wrap_for, is_websocket=True)
