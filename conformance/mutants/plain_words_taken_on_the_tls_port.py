from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from refserver.access.carriers import tls
from refserver.access.carriers.tls import TlsCarrying

_HANDSHAKE = 0x16


class Either(TlsCarrying):
    """TLS for who begins with it, and plain bytes for everybody else."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._is_plain: bool | None = None

    def receive(self, data: bytes) -> bytes:
        if self._is_plain is None:
            self._is_plain = data[0] != _HANDSHAKE
        return data if self._is_plain else super().receive(data)

    def seal(self, frame: bytes) -> bytes:
        return frame if self._is_plain else super().seal(frame)


def patch() -> None:
    put(tls, "TlsCarrying", Either)


MUTANT = Mutant(
    "plain_words_taken_on_the_tls_port",
    breaks=("SEC.1",),
    story="one port for both: who does not begin with TLS is served in the clear",
    patch=patch,
)
