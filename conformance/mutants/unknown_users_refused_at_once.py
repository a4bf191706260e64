from typing import Any

from sqlalchemy import select

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import accounts as room
from refserver.storage.schema import accounts


def check(check: Any, engine: Any, user: str, password: str) -> bool:
    with engine.connect() as connection:
        known = connection.execute(select(accounts.c.user).where(accounts.c.user == user)).first()
    return known is not None and check(engine, user, password)


def patch() -> None:
    around(room, "check_password", check)


MUTANT = Mutant(
    "unknown_users_refused_at_once",
    breaks=("SEC.2",),
    story="whoever does not exist has no hash to be compared with, and is refused sooner",
    patch=patch,
)
