"""What an attack is, and which there are: every file in `conformance/hostile/attacks`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.hostile import attacks
from conformance.hostile.ground import Ground

MB = 1_000_000
Run = Callable[[Ground], str]


class UnknownAttack(Exception):
    """No attack has such a name; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Attack:
    """`run` returns when it is over and says what was sent; the server may grow by `limit_bytes`."""

    name: str
    limit_bytes: int
    run: Run


_attacks: dict[str, Attack] = {}


def attack(*, limit_mb: int) -> Callable[[Run], Run]:
    """Makes a function the attack named as its module. `limit_mb`: what the server may need for it."""

    def register(run: Run) -> Run:
        name = run.__module__.rpartition(".")[2].replace("_", " ")
        _attacks[name] = Attack(name, limit_mb * MB, run)
        return run

    return register


def matching(pattern: str) -> list[Attack]:
    """All whose name is like `pattern`. Raises UnknownAttack if none is."""
    for module in pkgutil.iter_modules(attacks.__path__):
        importlib.import_module(f"{attacks.__name__}.{module.name}")
    found = [it for name, it in sorted(_attacks.items()) if fnmatchcase(name, pattern.replace("_", " "))]
    if not found:
        raise UnknownAttack(f"no attack is like {pattern!r}; there are: {', '.join(sorted(_attacks))}")
    return found
