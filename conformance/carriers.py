"""The carriers that cases run over: which there are, and which of them a run takes."""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache

import pytest

from drivers import carriers
from drivers.endpoints import TargetError, parse_target

CONNECTIONS = ("tcp", "tls", "ws", "wss")
POLLS = ("longpoll", "shortpoll")
ALL = "all"
BY_DEFAULT = "tcp"


def on_a_connection(why: str) -> pytest.MarkDecorator:
    """For a case that needs a connection over which both sides speak frames, because of `why`."""
    return pytest.mark.only_over(*CONNECTIONS, why=why)


class UnknownCarrier(Exception):
    """A carrier that does not exist, or that the target has no address for; the text says what to write."""


@cache
def known() -> tuple[str, ...]:
    """Every carrier that clients can use: connections first, polls last."""
    names = (
        importlib.import_module(f"{carriers.__name__}.{info.name}").__dict__.get("CARRIER")
        for info in pkgutil.iter_modules(carriers.__path__)
    )
    found = {carrier.name for carrier in names if carrier is not None}
    return tuple(sorted(found, key=lambda name: (name.endswith("poll"), name)))


@cache
def of_chat() -> tuple[str, ...]:
    """Those that can carry the chat protocol, in the same order."""
    return tuple(name for name in known() if _carries_chat(name))


def _carries_chat(name: str) -> bool:
    try:
        parse_target(f"chat+{name}://127.0.0.1:1")
    except TargetError:
        return False
    return True


def chosen(wanted: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """The carriers to run over, in the order wished for. Raises UnknownCarrier.

    `wanted`: names or `all`; nothing means what the target's URLs name, or TCP for the reference server.
    `named`: the carriers of the URLs; nothing for the reference server, which has them all.
    """
    for name in wanted:
        if name not in (ALL, *known()):
            raise UnknownCarrier(f"--carrier {name!r}: the carriers are {', '.join(known())}, or {ALL}")
        if named and name not in (ALL, *named):
            raise UnknownCarrier(f"--carrier {name}: add a --target DIALECT+{name}://HOST:PORT for it")
    if ALL in wanted or (named and not wanted):
        return tuple(dict.fromkeys(named)) or of_chat()
    return tuple(dict.fromkeys(wanted)) or (BY_DEFAULT,)
