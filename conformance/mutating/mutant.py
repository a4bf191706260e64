"""What a mutant is, and which there are: every file in `conformance/mutants`."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from conformance import mutants


class UnknownMutant(Exception):
    """No file has that name; the text says where to look."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`breaks`: the clauses that have to fail, each by a case of its own. `story`: how real servers get this
    wrong. `patch`: called once in the server's process, before it serves. `carriers`: over which clients see
    it; over each of them every clause in `breaks` has to fail. `is_client`: it is a client of the suite that
    is broken, and `patch` is called in the suite's own process. `under`: by fault plan, the clauses that have
    to fail under it; without carriers it shows there only."""

    name: str
    breaks: tuple[str, ...]
    story: str
    patch: Callable[[], None]
    carriers: tuple[str, ...] = ("tcp",)
    is_client: bool = False
    under: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has_to_fail(self, column: str) -> tuple[str, ...]:
        """The clauses that have to fail over that carrier, or under that fault plan."""
        return self.under.get(column, self.breaks)


def names() -> list[str]:
    """Of all mutants, in alphabetical order."""
    found = (module.name for module in pkgutil.iter_modules(mutants.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def load(name: str) -> Mutant:
    """The mutant of that name. Raises UnknownMutant."""
    if name not in names():
        raise UnknownMutant(f"no mutant is called {name!r}; see them with: chatproof mutants --list")
    mutant: Mutant = importlib.import_module(f"{mutants.__name__}.{name}").MUTANT
    return mutant


def _words(mutant: Mutant) -> tuple[str, ...]:
    of_plans = [clause for clauses in mutant.under.values() for clause in clauses]
    return (mutant.name, *mutant.breaks, *of_plans)


def matching(pattern: str) -> list[Mutant]:
    """All whose name, or a clause that they break, is like `pattern`. Raises UnknownMutant if none is."""
    found = [
        mutant for mutant in map(load, names()) if any(fnmatchcase(word, pattern) for word in _words(mutant))
    ]
    if not found:
        raise UnknownMutant(f"no mutant is like {pattern!r}; see them with: chatproof mutants --list")
    return found
