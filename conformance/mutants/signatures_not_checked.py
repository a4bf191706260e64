import time
from typing import Any
from urllib.parse import unquote

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.tokens import TokenRefused, TokenSigner


def verify(_: Any, self: Any, token: str) -> str:
    user, _, expiry = token.rpartition(".")[0].rpartition(".")
    if not user or not expiry.isdigit() or int(expiry) <= time.time():
        raise TokenRefused("expired")
    return unquote(user)


def patch() -> None:
    around(TokenSigner, "verify", verify)


MUTANT = Mutant(
    "signatures_not_checked",
    breaks=("SEC.5",),
    story="a token is read and believed",
    patch=patch,
)
