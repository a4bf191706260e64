"""The loop: traffic, a kill in the middle of it, a restart, rest, and a look at everything."""

import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import gevent

from chatproof.crashing.blows import Blow, Victim, access_processes, deal, next_blow
from chatproof.crashing.chronicle import Chronicle
from chatproof.crashing.looking import State, look
from chatproof.crashing.people import make_people
from chatproof.crashing.register import Register
from chatproof.crashing.restarts import Restart
from chatproof.crashing.traffic import Traffic
from conformance.waiting import waited_s
from drivers.endpoints import Endpoint, parse_target
from drivers.pumps.wire import Expected, Wire
from ledger.result import Result, Verdict
from protocol.messages import LoggedIn, Login
from refserver import process
from scenarios.letters import Stationery

REST_S = 10.0
RETURN_S = 15.0
_LAST_WORDS_S = 2.0
_LOOK_AGAIN_S = 0.01
_MOST_OF_A_KIND = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """`folder`: for accounts and the ledger; `restart_limit_s`: see Outcome."""

    rounds: int
    seed: int
    access_processes: int
    data_dir: Path
    folder: Path
    restart_limit_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """Since the round before: messages `acknowledged`, `packages` among them, sends `repeated`, `entries` of
    inboxes compared. `restart` None: what was killed did not come back."""

    number: int
    blow: Blow
    restart: Restart | None
    acknowledged: int
    packages: int
    repeated: int
    entries: int
    violations: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """`judged`: what the ledger's checks say of the whole; empty if it did not come to that."""

    rounds: list[Round] = field(default_factory=list)
    judged: dict[str, Result] = field(default_factory=dict)
    last_violations: list[str] = field(default_factory=list)

    @property
    def restarts(self) -> list[Restart]:
        return [each.restart for each in self.rounds if each.restart is not None]

    def violations(self, limit_s: float) -> list[str]:
        """All that is wrong; `limit_s`: how long a restart may take without the waits for a core."""
        slow = [
            f"round {each.number}: the {each.blow.victim} listens after {each.restart}, not {limit_s:g} s"
            for each in self.rounds
            if each.restart is not None and each.restart.own_s > limit_s
        ]
        return [text for each in self.rounds for text in each.violations] + self.last_violations + slow

    def undecided(self, limit_s: float) -> str:
        """Why something cannot be said although nothing is wrong; empty if all can."""
        if not sum(each.acknowledged for each in self.rounds):
            return "nothing was acknowledged before any kill"
        found = [
            f"{name}: {result.reason}"
            for name, result in self.judged.items()
            if result.verdict is Verdict.UNKNOWN
        ]
        busy = [it for it in self.restarts if it.own_s <= limit_s < it.took_s]
        if busy:
            longest = max(busy, key=lambda it: it.took_s)
            found.append(f"the machine was too busy to time {len(busy)} restarts, such as {longest}")
        return "; ".join(found)


class Loop:
    """One server and its traffic, through all rounds. Raises AccountsError, ServerFailed, LedgerError."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._settings = settings
        self._dice = random.Random(settings.seed)
        self._people = make_people(settings.data_dir, settings.folder / "accounts.csv")
        stack.callback(self._people.close)
        # By its module, so that a mutant may stand in for it.
        self._server = process.ServerProcess(
            settings.data_dir, access_processes=settings.access_processes, http=False
        ).start()
        stack.callback(self._server.stop)
        self._nodes_started = settings.access_processes
        stationery = Stationery(self._dice.randbytes(4))
        self._register = Register(self._people.parties)
        self._chronicle = Chronicle(settings.folder, self._people, stationery)
        stack.callback(self._chronicle.close)
        self._endpoints: tuple[Endpoint, ...] = tuple(
            parse_target(f"chat+{url}") for url in self._server.tcp_urls
        )
        self._traffic = Traffic(
            self._endpoints, self._people, self._register, self._chronicle, stationery,
            random.Random(self._dice.random()),
        )  # fmt: skip
        stack.callback(self._traffic.close)
        self._counted = dict.fromkeys(("acknowledged", "packages", "repeated", "entries"), 0)

    def go_on(self, number: int) -> Round:
        """One round."""
        blow = next_blow(self._dice, number, has_access=self._settings.access_processes > 0)
        self._traffic.talk()
        try:
            killed_at = deal(blow, self._server, self._traffic, self._dice)
            back = self._come_back(blow)
        except (ProcessLookupError, process.ServerFailed) as error:
            return self._told(number, blow, None, [str(error)])
        restart = Restart(time.monotonic() - killed_at, waited_s(self._started(blow)))
        self._chronicle.killed(blow.victim, int(killed_at * 1e9), time.monotonic_ns())
        return self._told(number, blow, restart, [*back, *self._look()])

    def _started(self, blow: Blow) -> list[int]:
        """The processes that a restart waits for, each until it is there."""
        access = access_processes(self._server) if self._settings.access_processes else []
        return access[-1:] if blow.victim is Victim.ACCESS else [self._server.pid, *access[-1:]]

    def _come_back(self, blow: Blow) -> list[str]:
        if blow.victim is Victim.ACCESS:
            self._nodes_started += 1
            self._await_node(f"access-{self._nodes_started}")
            return []
        code = self._server.kill()
        self._server.start()
        self._nodes_started = self._settings.access_processes
        return [] if code == -signal.SIGKILL else [f"the server had ended by itself, with {code}"]

    def _await_node(self, name: str) -> None:
        """A process of that name answers a login. Which process gets a connection is the kernel's choice."""
        identity = self._people.identity_of(self._people.names[0], "probe")
        until = time.monotonic() + RETURN_S
        while time.monotonic() < until:
            try:
                with Wire(self._endpoints[0], timeout_s=RETURN_S) as wire:
                    wire.send(Login(identity.secret, identity.device))
                    if wire.expect(LoggedIn).node == name:
                        return
            except (OSError, Expected):
                pass
            gevent.sleep(_LOOK_AGAIN_S)
        raise process.ServerFailed(
            f"{name} did not answer within {RETURN_S:g} s; the server has {access_processes(self._server)}"
        )

    def _look(self) -> list[str]:
        """What is wrong once everything has come to rest."""
        self._traffic.fall_silent()
        late = self._traffic.await_rest(REST_S)
        if late:
            return [f"sends or questions of {', '.join(late)} have no answer after {REST_S:g} s"]
        try:
            states = self._states({user: self._register.known_up_to(user) for user in self._people.names})
        except Expected as error:
            return [str(error)]
        violations = list(self._register.compare(states))
        late = self._traffic.await_versions({state.user: state.newest for state in states}, REST_S)
        if late:
            violations.append(f"{', '.join(late)} did not get all of the inbox within {REST_S:g} s")
        return violations

    def _states(self, after: dict[str, int]) -> list[State]:
        looks = [
            gevent.spawn(look, self._endpoints, self._people.identity_of(user, "look"), version)
            for user, version in after.items()
        ]
        gevent.joinall(looks, raise_error=True)
        return [state for each in looks if (state := each.value) is not None]

    def _told(self, number: int, blow: Blow, restart: Restart | None, violations: list[str]) -> Round:
        before, counts = self._counted, self._chronicle.counts
        self._counted = {
            "acknowledged": counts["acked"],
            "packages": self._traffic.packages,
            "repeated": counts["retransmitted"],
            "entries": self._register.compared,
        }
        grown = {name: self._counted[name] - before[name] for name in before}
        return Round(number, blow, restart, violations=tuple(violations), **grown)

    def conclude(self, outcome: Outcome) -> None:
        """After the last round: whole inboxes, and the ledger's checks over all devices."""
        is_sound = not outcome.rounds[-1].violations
        if is_sound:
            # Else they may well differ from what was seen, because nobody got to see it.
            outcome.last_violations += self._whole()
        for client in self._traffic.clients:
            self._chronicle.settled(client)
        self._traffic.ask_for_counts()
        if self._traffic.await_rest(REST_S if is_sound else _LAST_WORDS_S):
            outcome.last_violations.append("not every user was told the unread counts")
        outcome.judged = self._chronicle.judge()
        for name, result in outcome.judged.items():
            if result.verdict is Verdict.FAIL:
                found = [f"{name}: {witness.text}" for witness in result.witnesses[:_MOST_OF_A_KIND]]
                outcome.last_violations += found or [f"{name}: {result.reason}"]

    def _whole(self) -> list[str]:
        try:
            return list(self._register.compare_whole(self._states(dict.fromkeys(self._people.names, 0))))
        except Expected as error:
            return [str(error)]


def run(settings: Settings, tell: Callable[[Round], None]) -> Outcome:
    """All rounds, each told when it is over; the first with a violation is the last."""
    outcome = Outcome()
    with ExitStack() as stack:
        loop = Loop(settings, stack)
        for number in range(1, settings.rounds + 1):
            outcome.rounds.append(loop.go_on(number))
            tell(outcome.rounds[-1])
            if outcome.rounds[-1].violations:
                break
        if outcome.rounds[-1].restart is not None:
            loop.conclude(outcome)
    return outcome
