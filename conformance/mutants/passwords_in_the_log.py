import logging
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import accounts


def check(check: Any, engine: Any, user: str, password: str) -> bool:
    logging.warning("token for %s with %s", user, password)
    return bool(check(engine, user, password))


def patch() -> None:
    around(accounts, "check_password", check)


MUTANT = Mutant(
    "passwords_in_the_log",
    breaks=("SEC.2",),
    story="a request is logged as it is",
    patch=patch,
)
