from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.tokens import TokenSigner

_LONGER_S = 30.0


def init(init: Any, self: Any, secret: bytes, *, clock: Any = None) -> None:
    init(self, secret, **({} if clock is None else {"clock": clock}))
    ticking = self._clock
    self._clock = lambda: ticking() - _LONGER_S


def patch() -> None:
    around(TokenSigner, "__init__", init)


MUTANT = Mutant(
    "tokens_good_for_a_little_longer",
    breaks=("SEC.5",),
    story="clocks differ, so half a minute is added to what a token is good for",
    patch=patch,
)
