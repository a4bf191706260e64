import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.tokens import TokenSigner


def patch() -> None:
    def verify(verify: Any, self: Any, token: str) -> str:
        head, _, signature = token.rpartition(".")
        user, _, expiry = head.rpartition(".")
        known = seen.get((user, signature))
        if known is not None and expiry.isdigit() and int(expiry) > time.time():
            return known
        found: str = verify(self, token)
        seen[user, signature] = found
        return found

    seen: dict[tuple[str, str], str] = {}
    around(TokenSigner, "verify", verify)


MUTANT = Mutant(
    "expiry_of_tokens_not_signed",
    breaks=("SEC.5",),
    story="the expiry stands beside what is signed: a token can be made to last longer",
    patch=patch,
)
