"""How and when a process of the server is killed."""

import enum
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import gevent
import gevent.event
import psutil

from chatproof.crashing.traffic import Traffic
from refserver.process import ServerProcess

_WAIT_S = 0.5
_DELAY_S = (0.1, 0.45)
_LOG_SUFFIX = "-wal"


class Moment(enum.StrEnum):
    """What the server is doing just then."""

    ANY = "at any moment"
    COMMIT = "in a commit"
    ACKNOWLEDGEMENT = "right after SENT"


class Victim(enum.StrEnum):
    SERVER = "server"
    ACCESS = "access process"


@dataclass(frozen=True, slots=True)
class Blow:
    """To be dealt `delay_s` after the traffic began, or as soon after that as `moment` comes."""

    victim: Victim
    moment: Moment
    delay_s: float


def next_blow(dice: random.Random, number: int, *, has_access: bool) -> Blow:
    """Moments take turns; with access processes the victim is one of them every other time on average."""
    moment = list(Moment)[number % len(Moment)]
    victim = Victim.ACCESS if has_access and dice.random() < 0.5 else Victim.SERVER
    return Blow(victim, moment, dice.uniform(*_DELAY_S))


def deal(blow: Blow, server: ServerProcess, traffic: Traffic, dice: random.Random) -> float:
    """One process is dead when this returns; when that was (monotonic seconds).

    Raises ProcessLookupError if there is none to kill any more.
    """
    pid = server.pid
    if blow.victim is Victim.ACCESS:
        pid = dice.choice(access_processes(server))
    gevent.sleep(blow.delay_s)
    if blow.moment is Moment.COMMIT:
        log = next(server.data_dir.glob("*" + _LOG_SUFFIX), None)
        if log is not None:
            # A thread of its own looks without a pause: a commit takes less than a turn of the hub.
            gevent.get_hub().threadpool.apply(_kill_at_write, (pid, log))
            return time.monotonic()
    elif blow.moment is Moment.ACKNOWLEDGEMENT:
        with _killed_at_acknowledgement(pid, traffic) as dealt:
            if dealt.wait(_WAIT_S):
                return time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return time.monotonic()


def access_processes(server: ServerProcess) -> list[int]:
    """Those that hold connections now. Raises ProcessLookupError if there are none."""
    with suppress(psutil.NoSuchProcess):
        # The server's own child is where they come from.
        forkers = psutil.Process(server.pid).children()
        found = [each.pid for forker in forkers for each in forker.children()]
        if found:
            return found
    raise ProcessLookupError(f"the server {server.pid} has no access process any more")


def _kill_at_write(pid: int, log: Path) -> None:
    until = time.monotonic() + _WAIT_S
    before = _written(log)
    while _written(log) == before and time.monotonic() < until:
        pass
    os.kill(pid, signal.SIGKILL)


def _written(log: Path) -> tuple[int, int]:
    found = log.stat()
    return found.st_size, found.st_mtime_ns


@contextmanager
def _killed_at_acknowledgement(pid: int, traffic: Traffic) -> Iterator[gevent.event.Event]:
    dealt = gevent.event.Event()

    def kill() -> None:
        if not dealt.is_set():
            os.kill(pid, signal.SIGKILL)
            dealt.set()

    traffic.on_acknowledged = kill
    try:
        yield dealt
    finally:
        traffic.on_acknowledged = None
