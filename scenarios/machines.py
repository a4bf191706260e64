"""The master's side of a swarm on other machines: who joined, what clock it has, and whether it is there.

A machine joins before it has any swarm process: it is told its share, gets the accounts, and then forks as
many processes as that share needs. From then on the master asks it for its time once a second, each time
another of its processes; one that answers no more is lost, and the run cannot go on as planned.
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gevent
from gevent.pool import Group
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner

from ledger.clocks import Machine
from scenarios.calls import Calls
from scenarios.outpost import clock_identity
from scenarios.pieces import read_piece
from scenarios.timekeeping import Timekeeper
from scenarios.words import PREFIX

LOST_S = 20.0
_LOOK_S = 1.0
_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Terms:
    """What `machines` machines are to hold between them, evenly: `connections` in `processes` processes, in
    cohorts of `cohort`, to so many `endpoints` of the target."""

    machines: int
    processes: int
    connections: int
    cohort: int
    endpoints: int
    scenario: str
    accounts: Path


@dataclass(slots=True, eq=False)
class Joined:
    """A machine. `door`: who joined for it; `nodes`: its swarm processes that have come, by name."""

    name: str
    door: str
    processes: tuple[str, ...]
    described: dict[str, Any]
    timekeeper: Timekeeper
    nodes: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    heard_at: float = 0.0
    turn: int = 0
    is_looked_at: bool = False


class Machines:
    """`unfit`: why a machine cannot hold its share, None while all can. `lost`: those that answer no more.
    `heard_at`: when any of them last came nearer to being ready, monotonic."""

    def __init__(self, runner: MasterRunner, terms: Terms, say: Callable[[str], None]) -> None:
        """`say` hears a line about each machine that joins."""
        self._runner = runner
        self._terms = terms
        self._say = say
        self._digest = ""
        self.calls = Calls(runner)
        self.joined: dict[str, Joined] = {}
        self.lost: list[str] = []
        self.unfit: str | None = None
        self.heard_at = time.monotonic()
        self._gives_up = True
        for word, listener in (
            ("join", self._on_join),
            ("accounts", self._on_accounts),
            ("unfit", self._on_unfit),
            ("here", self._on_here),
        ):
            runner.register_message(PREFIX + word, listener)
        self._looking = Group()
        self._looker = gevent.spawn(self._look_after)

    @property
    def awaited(self) -> str:
        """Who is not there yet; empty when all are."""
        terms = self._terms
        if len(self.joined) < terms.machines:
            return f"{len(self.joined)} of {terms.machines} machines joined"
        late = [machine for machine in self.joined.values() if len(machine.nodes) < len(machine.processes)]
        return "; ".join(
            f"{len(machine.nodes)} of {len(machine.processes)} swarm processes came up on {machine.name}"
            for machine in late
        )

    def described(self) -> dict[str, Machine]:
        """For environment.json, as far as it is known by now."""
        return {
            machine.name: Machine(
                machine.processes, machine.timekeeper.clock, machine.missing, machine.described
            )
            for machine in self.joined.values()
        }

    def nodes(self, machine: Joined) -> list[str]:
        """Its processes that Locust still counts on."""
        return [node for node in machine.nodes.values() if node in self._runner.clients]

    def look_closely(self) -> None:
        """Every machine's clock is read once more, with care."""
        gevent.joinall(
            [
                gevent.spawn(machine.timekeeper.look_closely, nodes[0])
                for machine in self.joined.values()
                if (nodes := self.nodes(machine))
            ]
        )

    def wait_for_all(self) -> None:
        """Nobody is lost any more: who closes a large ledger does nothing else meanwhile."""
        self._gives_up = False

    def close(self) -> None:
        """Nobody is looked after any more."""
        self._looker.kill()
        self._looking.kill()

    # -- joining --

    def _on_join(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._runner.send_message(PREFIX + "terms", self._answer(msg.node_id, msg.data), msg.node_id)

    def _answer(self, door: str, asking: dict[str, Any]) -> dict[str, Any]:
        ours = version("chatproof")
        if asking["version"] != ours:
            return {"why": f"the master is Chatproof {ours}, this is {asking['version']}: install the same"}
        machine = next((one for one in self.joined.values() if one.door == door), None)
        if machine is None:
            if len(self.joined) == self._terms.machines:
                names = ", ".join(self.joined)
                return {"why": f"the run has all machines that it expects ({names}); see --machines"}
            machine = self._admit(door, asking)
        terms = self._terms
        share = len(machine.processes) / terms.processes
        return {
            "machine": machine.name,
            "processes": machine.processes,
            "connections": -(-round(terms.connections * share) // terms.cohort) * terms.cohort,
            "cohort": terms.cohort,
            "endpoints": terms.endpoints,
            "scenario": terms.scenario,
            "accounts_bytes": terms.accounts.stat().st_size,
            "accounts_digest": self._accounts_digest(),
        }

    def _admit(self, door: str, asking: dict[str, Any]) -> Joined:
        terms = self._terms
        # It becomes a part of file names.
        plain = re.sub(r"[^A-Za-z0-9.-]+", "-", asking["name"]).strip(".-")[:_NAME_LENGTH] or "machine"
        name, number = plain, 1
        while name in self.joined:
            number += 1
            name = f"{plain}-{number}"
        each = terms.processes // terms.machines
        processes = tuple(f"swarm-{name}-{number}" for number in range(1, each + 1))
        shared = bool(asking["clock"]) and asking["clock"] == clock_identity()
        machine = self.joined[name] = Joined(
            name, door, processes, asking["described"], Timekeeper(self.calls, shared=shared)
        )
        self.heard_at = time.monotonic()
        described = machine.described
        self._say(
            f"{name} joined: {described['cores']} cores, {described['memory_bytes'] / 2**30:.1f} GiB; "
            f"{each} swarm process{'es' if each > 1 else ''}"
        )
        return machine

    def _accounts_digest(self) -> str:
        if not self._digest:
            with self._terms.accounts.open("rb") as file:
                self._digest = hashlib.file_digest(file, "blake2b").hexdigest()
        return self._digest

    def _on_accounts(self, environment: Environment, msg: Message, **_: Any) -> None:
        self.heard_at = time.monotonic()
        offset = msg.data["offset"]
        piece = read_piece(self._terms.accounts, offset)
        self._runner.send_message(PREFIX + "accounts", {"offset": offset, "piece": piece}, msg.node_id)

    def _on_unfit(self, environment: Environment, msg: Message, **_: Any) -> None:
        self.unfit = self.unfit or f"machine {msg.data['machine']}: {msg.data['why']}"

    def _on_here(self, environment: Environment, msg: Message, **_: Any) -> None:
        machine = self.joined.get(msg.data["machine"])
        if machine is not None and msg.data["process"] in machine.processes:
            is_first = not machine.nodes
            machine.nodes[msg.data["process"]] = msg.node_id
            machine.heard_at = self.heard_at = time.monotonic()
            if is_first:
                self._looking.spawn(machine.timekeeper.look_closely, msg.node_id)

    # -- while the run goes on --

    def _look_after(self) -> None:
        while True:
            gevent.sleep(_LOOK_S)
            for machine in self.joined.values():
                if machine.nodes and machine.name not in self.lost:
                    self._look(machine)

    def _look(self, machine: Joined) -> None:
        if self._gives_up and time.monotonic() - machine.heard_at > LOST_S:
            self.lost.append(machine.name)
            # Nobody waits for their part in settling and closing, and Locust gives their users to nobody.
            for node in machine.nodes.values():
                self._runner.clients.pop(node, None)
            return
        nodes = self.nodes(machine)
        if nodes and not machine.is_looked_at:
            machine.turn += 1
            self._looking.spawn(self._look_once, machine, nodes[machine.turn % len(nodes)])

    def _look_once(self, machine: Joined, node: str) -> None:
        machine.is_looked_at = True
        try:
            if machine.timekeeper.look(node):
                machine.heard_at = time.monotonic()
        finally:
            machine.is_looked_at = False
