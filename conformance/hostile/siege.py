"""One attack on a fresh server with two other users, and what SEC.6 says of how it went."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from conformance.hostile.attack import Attack
from conformance.hostile.costs import costs, forget_peak
from conformance.hostile.ground import Address, Ground
from conformance.hostile.neighbours import Neighbours, NeighboursFailed
from conformance.verdicts import Verdict
from conformance.waiting import waited_s
from refserver import accounts, process
from refserver.tokens import TokenSigner, load_or_create_secret

FLOOR_S = 0.25
"""Up to this nothing is concluded, whatever the usual was; the suite's case for SEC.6 says the same."""
BUSY_SHARE = 0.1
"""Whoever waited longer than this share of the time for a core tells of the machine, not of the server."""

_LOWEST = 19
_WARM_S = 0.5
_CALM_S = 3.0
_AFTERWARDS_S = 1.0
_TOKEN_TTL_S = 3600.0
_FAULTS = ("Traceback", "fault of this server")


@dataclass(frozen=True, slots=True)
class Felt:
    """Seconds from the moment at which a message was to be sent until it was shown; 0 without any."""

    messages: int
    p50_s: float
    p99_s: float

    @classmethod
    def of(cls, latencies_s: list[float]) -> "Felt":
        """`latencies_s` in ascending order."""
        if not latencies_s:
            return cls(0, 0.0, 0.0)
        count = len(latencies_s)
        return cls(count, latencies_s[count // 2], latencies_s[min(count - 1, count * 99 // 100)])


@dataclass(frozen=True, slots=True)
class Siege:
    """`grown_bytes`: the server's memory at its highest, above what it was before. `ended_s`: after how long
    the server ended connections, in ascending order. `why`: what is wrong, or cannot be said."""

    attack: Attack
    sent: str
    duration_s: float
    sent_bytes: int
    opened: int
    ended_s: list[float]
    grown_bytes: int
    cpu_s: float
    calm: Felt
    during: Felt
    verdict: Verdict
    why: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Of the p99 during the attack to the usual one."""
        return self.during.p99_s / self.calm.p99_s if self.calm.p99_s else 0.0


def besiege(attack: Attack) -> Siege:
    """The attack is over, and so is the server. Raises ServerFailed, AccountsError, OSError,
    NeighboursFailed when it could not begin."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatproof-hostile-")))
        signer = _people(folder)
        # By its module, so that a mutant may stand in for it.
        server = process.ServerProcess(folder).start()
        stack.callback(server.kill)
        assert server.http_url is not None
        tcp, http = _address(server.tcp_urls[0]), _address(server.http_url)
        tokens = {name: signer.issue(name, _TOKEN_TTL_S) for name in _PEOPLE}
        neighbours = stack.enter_context(Neighbours(tcp, tokens["talker"], tokens["listener"]))
        ground = Ground(tcp, http, tokens)
        stack.callback(ground.close)
        return _besiege(attack, server, neighbours, ground)


_PEOPLE = ("talker", "listener", "attacker", "friend")


def _people(data_dir: Path) -> TokenSigner:
    accounts.add(data_dir, _PEOPLE[:2])
    accounts.add(data_dir, _PEOPLE[2:], "a password of theirs")
    accounts.befriend(data_dir, _PEOPLE[:2])
    accounts.befriend(data_dir, _PEOPLE[2:])
    return TokenSigner(load_or_create_secret(data_dir))


def _address(url: str) -> Address:
    host, _, port = url.partition("://")[2].rpartition(":")
    return host, int(port)


def _besiege(attack: Attack, server: process.ServerProcess, neighbours: Neighbours, ground: Ground) -> Siege:
    time.sleep(_WARM_S)
    calm_ns = time.monotonic_ns()
    time.sleep(_CALM_S)
    forget_peak(server.pids)
    before, bystander_waited_s = costs(server.pids), waited_s([neighbours.pid])
    began_ns = time.monotonic_ns()
    wrong, doubts = [], []
    sent = "less than was meant to be"
    try:
        sent = _at_lowest_priority(lambda: attack.run(ground))
    except ConnectionError as error:
        wrong.append(f"the attacker could not go on: {error}")
    except OSError as error:
        doubts.append(f"this machine cannot carry out the attack: {error}")
    ended_ns = time.monotonic_ns()
    bystander_waited_s = waited_s([neighbours.pid]) - bystander_waited_s
    time.sleep(_AFTERWARDS_S)
    try:
        after = costs(server.pids)
        lost = neighbours.end()
        if lost:
            wrong.append(f"{lost} messages of others were never shown")
    except (psutil.NoSuchProcess, NeighboursFailed) as error:
        after = before
        wrong.append(f"the server did not live through it: {error}")
    grown_bytes = after.peak_bytes - before.peak_bytes
    if grown_bytes > attack.limit_bytes:
        wrong.append(f"memory grew by {grown_bytes / 1e6:.0f} MB, not {attack.limit_bytes / 1e6:.0f}")
    if any(word in server.log_path.read_text(errors="replace") for word in _FAULTS):
        wrong.append("the server's log tells of a fault of its own")
    duration_s = (ended_ns - began_ns) / 1e9
    calm = Felt.of(neighbours.between(calm_ns, began_ns))
    during = Felt.of(neighbours.between(began_ns, ended_ns))
    busy_s = max(after.waited_s - before.waited_s, bystander_waited_s)
    judge_latency(calm, during, busy_s / duration_s, wrong, doubts)
    return Siege(
        attack, sent, duration_s, ground.sent_bytes, ground.opened, sorted(ground.ended_s),
        grown_bytes, after.cpu_s - before.cpu_s, calm, during, _verdict(wrong, doubts), (*wrong, *doubts),
    )  # fmt: skip


def _at_lowest_priority(act: Callable[[], str]) -> str:
    """In a thread: an attacker on a machine of its own would not take the cores of those it attacks."""

    def begin() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)

    with ThreadPoolExecutor(1, initializer=begin) as pool:
        return pool.submit(act).result()


def judge_latency(calm: Felt, during: Felt, busy: float, wrong: list[str], doubts: list[str]) -> None:
    """Others' p99 is to be at most twice its usual, or FLOOR_S; what is not so is added to one of the lists.

    `busy`: the share of the attack in which the server, or the others, waited for a core.
    """
    limit_s = max(2 * calm.p99_s, FLOOR_S)
    if calm.p99_s > FLOOR_S:
        doubts.append(f"this machine is too busy: without an attack others' p99 is {calm.p99_s * 1e3:.0f} ms")
    if not calm.messages or not during.messages:
        wrong.append("others could not talk")
    elif during.p99_s > limit_s:
        text = f"others' p99 is {during.p99_s * 1e3:.0f} ms, and {limit_s * 1e3:.0f} ms at most are allowed"
        if busy > BUSY_SHARE:
            doubts.append(f"{text}; but they waited {busy:.0%} of the time for a core")
        else:
            wrong.append(text)


def _verdict(wrong: list[str], doubts: list[str]) -> Verdict:
    if wrong:
        return Verdict.FAIL
    return Verdict.UNKNOWN if doubts else Verdict.PASS
