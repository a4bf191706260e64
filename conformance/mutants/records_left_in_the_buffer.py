import ssl
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.carriers.tls import TlsCarrying


class _OneRecord:
    """Reads once, as from a socket that is not ready any more."""

    def __init__(self, tls: Any) -> None:
        self._tls = tls
        self.has_read = False

    def read(self, size: int) -> Any:
        if self.has_read:
            raise ssl.SSLWantReadError
        found = self._tls.read(size)
        self.has_read = True
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tls, name)


def receive(receive: Any, self: Any, data: bytes) -> Any:
    if not isinstance(self._tls, _OneRecord):
        self._tls = _OneRecord(self._tls)
    self._tls.has_read = False
    return receive(self, data)


def patch() -> None:
    around(TlsCarrying, "receive", receive)


MUTANT = Mutant(
    "records_left_in_the_buffer",
    breaks=("SEC.1",),
    story="a readable socket is read for one record; others that came with it wait in the library for more",
    patch=patch,
)
