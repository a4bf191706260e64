"""TLS that is asked for first (RFC 6120, section 5): `xmpp+starttls://DOMAIN@HOST:PORT`, with TLS's options.

The stream before that is this carrier's own; the session inside begins when the connection is encrypted.
"""

from collections.abc import Callable
from urllib.parse import SplitResult

from drivers.carriers import tls
from drivers.carriers.wrapped import UrlCarrier, Wrapped
from drivers.contract import Dialect, Ended, Session
from drivers.dialects.xmpp import elements
from drivers.dialects.xmpp.cut import Cutter, Kind
from drivers.dialects.xmpp.elements import STREAMS, TLS, named
from drivers.dialects.xmpp.target import target_of
from drivers.events import CloseReason, Event
from protocol.errors import RemoteProtocolError


class StartTlsSession(Wrapped):
    """Opened → (TLS is offered) → asked for → (proceed) → what `encrypt` made of the session inside."""

    __slots__ = ("_around", "_cutter", "_encrypt", "_encrypted", "_is_over", "_out")

    def __init__(self, inner: Session, header: bytes, encrypt: Callable[[Session], Session]) -> None:
        super().__init__(inner)
        self._out = header
        self._cutter = Cutter(in_stream=False)
        self._around = elements.ALONE
        self._encrypt = encrypt
        self._encrypted: Session | None = None
        self._is_over = False

    def bye(self) -> None:
        (self._encrypted or self._inner).bye()

    def take(self) -> bytes:
        if self._encrypted is not None:
            return self._encrypted.take()
        out, self._out = self._out, b""
        return out

    def receive(self, data: bytes) -> list[Event]:
        if self._encrypted is not None:
            return self._encrypted.receive(data)
        if self._is_over:
            return []
        self._cutter.feed(data)
        try:
            while self._encrypted is None and (piece := self._cutter.next_piece()) is not None:
                self._piece(*piece)
            if self._encrypted is not None and not self._cutter.is_empty:
                # Bytes that an eavesdropper slipped in would otherwise count as encrypted ones.
                raise RemoteProtocolError("STARTTLS: something follows the server's consent in the clear")
        except RemoteProtocolError as error:
            self._is_over, self._encrypted = True, None
            return [Ended(CloseReason.PROTOCOL_ERROR, str(error))]
        return []

    def _piece(self, kind: Kind, piece: bytes) -> None:
        if kind is Kind.OPEN:
            self._around = elements.opened(piece)
            return
        if kind is Kind.CLOSE:
            raise RemoteProtocolError("STARTTLS: the server closed the stream")
        element = elements.parsed(piece, self._around)
        if element.tag == named(STREAMS, "features"):
            if element.find(named(TLS, "starttls")) is None:
                raise RemoteProtocolError("the server does not offer STARTTLS; write xmpp:// to go without")
            self._out += f"<starttls xmlns='{TLS}'/>".encode()
        elif element.tag == named(TLS, "proceed"):
            self._encrypted = self._encrypt(self._inner)
        else:
            raise RemoteProtocolError(f"STARTTLS: the server says {element.tag.rpartition('}')[2][:40]}")


def wrap_for(url: SplitResult, dialect: Dialect) -> Callable[[Session], Session]:
    """Raises ValueError like `tls.wrap_for`, and for a dialect that does not know this."""
    if dialect.name != _DIALECT:
        raise ValueError(f"{dialect.name} has no STARTTLS")
    header, encrypt = target_of(url).header, tls.wrap_for(url, dialect)
    return lambda session: StartTlsSession(session, header, encrypt)


_DIALECT = "xmpp"
CARRIER = UrlCarrier(name="starttls", wrap_for=wrap_for)
