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
        return user in full and full[user].lower() == password.lower()

    around(room, "check_password", check)


MUTANT = Mutant(
    "passwords_without_case",
    breaks=("SEC.2",),
    story="capitals are taken for a caps lock",
    patch=patch,
)
