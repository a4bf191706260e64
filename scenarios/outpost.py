"""The side of a swarm process that is on another machine than the master: it tells the time and hands over
the files of its machine, which it writes to a folder there."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from locust.env import Environment
from locust.rpc import Message

from scenarios.options import SwarmOptions
from scenarios.pieces import read_piece
from scenarios.words import PREFIX, runner_of

FILES = {"ledger": (".parquet", ".arrows"), "processes": (".jsonl",)}
"""What the master fetches, by sub-folder of a run."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where such a process stands. `folder`: of its machine, for all of its processes; `accounts`: the run's,
    on this machine; `sources`: addresses of this machine to connect from, none to let the kernel choose;
    `samples`: it is the one that notes what the whole machine does."""

    machine: str
    process: str
    folder: Path
    accounts: Path
    sources: tuple[str, ...] = ()
    samples: bool = False

    def at_home(self, options: SwarmOptions) -> SwarmOptions:
        """The master's options with the paths and addresses that are right here."""
        return replace(options, accounts=str(self.accounts), run_dir=str(self.folder), sources=1)


class Outpost:
    """Answers the master's questions from now on."""

    def __init__(self, environment: Environment, post: Post) -> None:
        self._post = post
        self._answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "time": self._time,
            "files": self._files,
            "piece": self._piece,
            "arrived": self._arrived,
        }
        runner = runner_of(environment)
        runner.register_message(PREFIX + "ask", self._on_ask)
        runner.send_message(PREFIX + "here", {"machine": post.machine, "process": post.process})

    def _on_ask(self, environment: Environment, msg: Message, **_: Any) -> None:
        answer = self._answers[msg.data["what"]](msg.data)
        runner_of(environment).send_message(PREFIX + "answer", {"number": msg.data["number"], **answer})

    def _time(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"at_ns": time.monotonic_ns()}

    def _files(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Of all processes of the machine: who was killed cannot hand over his own."""
        files = [
            (place, path.name, path.stat().st_size)
            for place, endings in FILES.items()
            for path in sorted((self._post.folder / place).glob("*"))
            if path.suffix in endings
        ]
        return {"files": files}

    def _piece(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"piece": read_piece(self._path(asked), asked["offset"])}

    def _arrived(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._path(asked).unlink(missing_ok=True)
        return {}

    def _path(self, asked: dict[str, Any]) -> Path:
        place, name = str(asked["place"]), Path(asked["name"]).name
        return self._post.folder / place / name


def clock_identity() -> list[str]:
    """Who has the same as another process here has the same CLOCK_MONOTONIC: the boot, and the time
    namespace, in which containers can have clocks of their own. Empty if this kernel does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return [boot, str(Path("/proc/self/ns/time").readlink())]
    except OSError:
        return []
