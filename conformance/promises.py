"""What a protocol of somebody else's promises of our clauses, in the words of its own standard.

NAME.toml, in the folder of the module that makes the sessions of dialect NAME:

    standard = "MQTT 3.1.1 and 5.0"     # what `by` refers to

    [DLV.1]                             # a clause of requirements.toml
    promise = "in other words"          # or "as it stands", or "none"
    by = ["MQTT-4.3.2-1"]               # where the standard says so
    text = "…"                          # what it promises, or why it does not

    [ORD.2.allows]                      # what cases may find that the standard does not forbid
    order_across_qos = { by = ["MQTT-4.6.0-6"], text = "…" }

A clause that the file does not name is not promised. A dialect without a file is taken at the word of our
catalogue, as the chat protocol is.
"""

import enum
import inspect
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from conformance.catalogue import load as catalogue
from drivers.contract import Dialect


class PromisesError(Exception):
    """A file of promises that cannot be used; the text says which and what is wrong with it."""


class Kind(enum.StrEnum):
    """How a standard promises a clause of ours."""

    SAME = "as it stands"
    OTHER = "in other words"
    NONE = "none"


class Allowance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a server may do although our clause would not have it. `by`: where the standard leaves it open;
    `unless`: what in a target's query asks for more, such as `qos=2`."""

    text: str
    by: tuple[str, ...] = ()
    unless: str = ""


class Promise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One clause of ours as the standard sees it; `allows` by the names under which cases know them."""

    promise: Kind
    text: str
    by: tuple[str, ...] = ()
    allows: Mapping[str, Allowance] = msgspec.field(default_factory=dict)


class Promises(msgspec.Struct, frozen=True):
    """All that a dialect's file says, by clause id."""

    dialect: str
    standard: str
    promises: Mapping[str, Promise] = msgspec.field(default_factory=dict)

    def of(self, clause: str) -> Promise:
        """What is promised of a clause of ours, or that nothing is."""
        found = self.promises.get(clause)
        return found or Promise(Kind.NONE, f"{self.standard} promises nothing of the kind")

    def lacks(self, clause: str) -> str | None:
        """Why the protocol owes nobody this clause; None when it does."""
        promise = self.of(clause)
        return f"{promise.text}{_in_brackets(promise.by)}" if promise.promise is Kind.NONE else None

    def allowance(self, name: str, query: frozenset[str] = frozenset()) -> Allowance | None:
        """What the standard says of a deviation that a case may find; None when it forbids it.

        `query`: that of the target's URL, which may ask for more.
        """
        found = (promise.allows.get(name) for promise in self.promises.values())
        return next((one for one in found if one is not None and one.unless not in query), None)


def parse(dialect: str, text: str, where: str) -> Promises:
    """Raises PromisesError."""
    try:
        content = tomllib.loads(text)
        standard = content.pop("standard", "")
        if not isinstance(standard, str) or not standard:
            raise PromisesError(f'{where}: standard = "…" is missing')
        promises = {
            f"{family}.{number}": msgspec.convert(entry, Promise)
            for family, group in content.items()
            for number, entry in group.items()
        }
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, AttributeError) as error:
        raise PromisesError(f"{where}: {error}") from error
    for clause, promise in promises.items():
        if clause not in catalogue():
            raise PromisesError(f"{where}: the catalogue has no clause {clause}")
        if promise.promise is not Kind.NONE and not promise.by:
            raise PromisesError(f"{where}: {clause}: by = […] is missing: where the standard promises it")
    return Promises(dialect, standard, promises)


@cache
def promises_of(dialect: Dialect) -> Promises | None:
    """Those of the file beside the dialect; None where there is none. Raises PromisesError."""
    module = inspect.getmodule(getattr(dialect.new_session, "func", dialect.new_session))
    if module is None or module.__file__ is None:
        return None
    folder = Path(module.__file__).parent
    path = folder / f"{dialect.name}.toml"
    if not path.exists():
        return None
    return parse(dialect.name, path.read_text("utf-8"), str(path))


def _in_brackets(by: tuple[str, ...]) -> str:
    return f" ({', '.join(by)})" if by else ""
