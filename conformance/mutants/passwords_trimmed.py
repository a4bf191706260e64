from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import accounts


def check(check: Any, engine: Any, user: str, password: str) -> bool:
    return any(check(engine, user, word) for word in {password, password.strip()})


def patch() -> None:
    around(accounts, "check_password", check)


MUTANT = Mutant(
    "passwords_trimmed",
    breaks=("SEC.2",),
    story="spaces around a password are taken for slips",
    patch=patch,
)
