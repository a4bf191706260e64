from typing import Any
from urllib.parse import unquote

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.tokens import TokenRefused, TokenSigner


def verify(verify: Any, self: Any, token: str) -> Any:
    try:
        return verify(self, token)
    except TokenRefused as refused:
        if refused.reason != "expired":
            raise
        return unquote(token.rsplit(".", 2)[0])


def patch() -> None:
    around(TokenSigner, "verify", verify)


MUTANT = Mutant(
    "expired_tokens_accepted",
    breaks=("SEC.5",),
    story="the signature is checked and the date is not",
    patch=patch,
)
