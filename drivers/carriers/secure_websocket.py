"""WebSocket within TLS: `chat+wss://HOST:PORT`, with the options of both."""

from collections.abc import Callable
from urllib.parse import SplitResult

from drivers.carriers import tls, websocket
from drivers.carriers.wrapped import UrlCarrier
from drivers.contract import Session


def wrap_for(url: SplitResult) -> Callable[[Session], Session]:
    """Raises ValueError like `tls.wrap_for`."""
    encrypt, talk = tls.wrap_for(url), websocket.wrap_for(url)
    return lambda session: encrypt(talk(session))


CARRIER = UrlCarrier(name="wss", wrap_for=wrap_for)
