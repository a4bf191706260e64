"""Our own swarm as users run it: a shipped scenario under Locust, in this process.

`python -m bench.swarms._shipped …` sends as fast as answers come and says on standard output, a line each:
`ready` before the first connection; JSON with the counts as the window begins and ends; `settled` when every
device has settled and the ledger is complete.
"""

import locust  # isort: skip  # patches the standard library before anything else uses it

import argparse
import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment

from bench.peer import ready
from chatproof.workers import new_environment
from scenarios.options import SwarmOptions
from scenarios.parts import conductor_of, player_of
from scenarios.swarm import Swarm

COHORT = 500
"""As large as `chatproof run` takes them."""
_WARM_S = 1.0
_LOOK_S = 0.001
_UNLIMITED = 1e6


class Shipped:
    """`options` beyond those are as shipped, but for the limit on new connections a second."""

    def __init__(self, scenario: str, url: str, accounts: Path, connections: int, **options: Any) -> None:
        self._cohort = cohort_size(connections)
        self._cohorts = connections // self._cohort
        self._environment: Environment = new_environment(scenario)
        wanted = SwarmOptions(
            accounts=str(accounts), cohort=self._cohort, connect_rate=_UNLIMITED, on_command=True, **options
        )
        vars(self._environment.parsed_options).update(asdict(wanted))
        self._environment.host = url
        self._runner = self._environment.create_local_runner()
        locust.events.init.fire(environment=self._environment, runner=self._runner, web_ui=None)
        conductor_of(self._environment).judges = False

    def connect(self) -> None:
        """Everybody is on the way. `bench.peer.ready` comes between the swarm and its first connection."""
        self._environment.events.test_start.add_listener(lambda **_: ready())
        self._runner.start(self._cohorts, spawn_rate=self._cohorts)

    def await_online(self) -> None:
        """Everybody is there. Raises RuntimeError when the run cannot be."""
        wanted = self._cohorts * self._cohort
        while self._swarm is None or self._swarm.stage.recorder.online < wanted:
            if (why := conductor_of(self._environment).broken) is not None:
                raise RuntimeError(why)
            gevent.sleep(0.05)

    @property
    def _swarm(self) -> Swarm | None:
        player = player_of(self._environment)
        return None if player is None else player.swarm

    @property
    def swarm(self) -> Swarm:
        """Once everybody is online."""
        assert self._swarm is not None
        return self._swarm

    def counts(self) -> dict[str, float]:
        """`acked` and `delivered` messages so far, the monotonic time `at_s`, and `cpu_s` of this process."""
        messages = self.swarm.stage.recorder.messages
        return {
            "acked": messages["acked"],
            "delivered": messages["delivered"],
            "at_s": time.monotonic(),
            "cpu_s": time.process_time(),
        }

    def send(self, window: int, seconds: float) -> None:
        """Messages between random pairs, `window` of them without an answer at any time."""
        messages, dice = self.swarm.stage.recorder.messages, random.Random(1)
        cohorts = list(self.swarm.cohorts.values())
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            while messages["sent"] - messages["acked"] - messages["rejected"] < window:
                dice.choice(cohorts).send_one(now)
            gevent.sleep(_LOOK_S)

    def chat(self, window: int, seconds: float, say: Callable[[dict[str, float]], None]) -> None:
        """Send for a second, and then for `seconds`; `say` gets the counts before and after those."""
        self.await_online()
        for cohort in self.swarm.cohorts.values():
            cohort.chat()
        self.send(window, _WARM_S)
        say(self.counts())
        self.send(window, seconds)
        say(self.counts())

    def wait(self) -> None:
        """Does not return before Locust ends."""
        self._runner.greenlet.join()

    def finish(self) -> None:
        """Everybody has settled and left; the ledger is complete."""
        self._runner.quit()


def cohort_size(connections: int) -> int:
    """Of equal cohorts that make up so many connections; about COHORT where that is possible."""
    return next((size for size in range(COHORT, COHORT // 5, -1) if connections % size == 0), connections)


def say(counts: dict[str, float]) -> None:
    """A line of JSON on standard output."""
    os.write(1, json.dumps(counts).encode() + b"\n")


PAIRS = dict.fromkeys(("group_share", "package_share", "away_share", "read_share", "two_devices"), 0.0)
"""Options with which each message is one delivery, and nothing else happens."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.swarms._shipped")
    parser.add_argument("--url", required=True)
    parser.add_argument("--accounts", type=Path, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--flight", type=int, required=True)
    parser.add_argument("--window", type=float, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    shipped = Shipped(
        "chat",
        asked.url,
        asked.accounts,
        asked.connections,
        run_dir=str(asked.folder),
        send_rate=0.0,
        **PAIRS,
    )
    shipped.connect()
    shipped.chat(asked.flight, asked.window, say)
    shipped.finish()
    os.write(1, b"settled\n")


if __name__ == "__main__":
    main()
