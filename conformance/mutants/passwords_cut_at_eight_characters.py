from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import accounts as room


def patch() -> None:
    full: dict[str, str] = {}

    def check(check: Any, engine: Any, user: str, password: str) -> bool:
        if check(engine, user, password):
            full[user] = password
            return True
        return user in full and full[user][:8] == password[:8]

    around(room, "check_password", check)


MUTANT = Mutant(
    "passwords_cut_at_eight_characters",
    breaks=("SEC.2",),
    story="the hash looks at the first eight characters, and the rest is decoration",
    patch=patch,
)
