"""What a peer is: one file of `bench/swarms` or `bench/servers` with a `PEER`, found by looking."""

import importlib
import os
import pkgutil
import random
from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Load:
    """What a swarm is to do: hold `connections` to `port` of 127.0.0.1 and beat every `heartbeat_s`.

    `folder` is its own, for whatever it writes. `chats`: it sends as fast as it can, for `window_s`.
    """

    port: int
    connections: int
    heartbeat_s: int
    window_s: int
    folder: Path
    chats: bool = False

    def first_beat_s(self) -> float:
        """A random part of the interval, so that those who came together do not beat together."""
        return random.random() * self.heartbeat_s


@dataclass(frozen=True, slots=True)
class Swarm:
    """A client side. `run` does its load in a process of its own and never returns.

    It calls `ready` before the first connection, unless `waits` says that it starts another program, whose
    memory is then looked at until its first connection comes. `command`: in place of
    `python -m bench.swarms`. `verifies`: every message that it gets is checked, so `Load.chats` means
    something to it. `missing`: what to install, None if it can run.
    """

    title: str
    run: Callable[[Load], None] | None = None
    command: Callable[[Load], list[str]] | None = None
    waits: bool = True
    verifies: bool = False
    missing: Callable[[], str | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs: `pid`s to be measured, where it listens, what its clients say in hexadecimal."""

    pids: tuple[int, ...]
    port: int
    beat: str
    greetings: list[str]


@dataclass(frozen=True, slots=True)
class Server:
    """A server side. `serve(folder, connections)` is a context in which it runs, ready for so many."""

    title: str
    serve: Callable[[Path, int], AbstractContextManager[Served]]
    missing: Callable[[], str | None] = lambda: None


Kind = TypeVar("Kind", Swarm, Server)


def peers(package: ModuleType, kind: type[Kind], names: Container[str] = ()) -> dict[str, Kind]:
    """By file name, only those of `names` if there are any: ours first, then the others by title, and the
    floor at the end."""
    found: dict[str, Kind] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if not info.name.startswith("_") and (not names or info.name in names):
            found[info.name] = importlib.import_module(f"{package.__name__}.{info.name}").PEER
    return dict(sorted(found.items(), key=lambda each: (_place(each[0]), each[1].title.lower())))


def _place(name: str) -> int:
    return 0 if name.startswith("chatproof") else 2 if name == "floor" else 1


def ready() -> None:
    """Everything is loaded: say so, and go on when told to. What is taken from now on is for connections."""
    os.write(1, b"ready\n")
    while os.read(0, 1) not in (b"", b"\n"):
        pass
