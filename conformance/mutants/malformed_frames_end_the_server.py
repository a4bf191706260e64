import os
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.errors import ErrorCode
from refserver.access.node import AccessNode


def fail(fail: Any, self: Any, connection: Any, code: int, text: str) -> None:
    if code == ErrorCode.MALFORMED:
        os._exit(1)
    fail(self, connection, code, text)


def patch() -> None:
    around(AccessNode, "_fail", fail)


MUTANT = Mutant(
    "malformed_frames_end_the_server",
    breaks=("SEC.6",),
    story="the parser raises what nobody catches",
    patch=patch,
)
