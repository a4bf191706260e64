import os
import socket
from contextlib import suppress
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.lines import Lines


def patch() -> None:
    kept: list[socket.socket] = []

    def close(close: Any, self: Any, connection: Any) -> None:
        if self.get(connection.number) is not None:
            kept.append(socket.socket(fileno=os.dup(connection.fd)))
            with suppress(OSError):
                kept[-1].shutdown(socket.SHUT_RDWR)
        close(self, connection)

    around(Lines, "close", close)


MUTANT = Mutant(
    "the_cleared_keep_their_descriptor",
    breaks=("HBT.1",),
    story="a cleared connection is shut down and never closed",
    patch=patch,
)
