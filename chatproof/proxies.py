"""The proxies between swarm and target, through which a run breaks the network."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from chaos.levers import PROXIES
from chatproof.errors import CannotRun
from chatproof.listening import asking_at
from chatproof.plan import Plan
from chatproof.promises import Promise, keep_promises_of_the_dead
from drivers.endpoints import Endpoint

SCHEDULER = "scheduler"
_START_S = 20.0


@dataclass(frozen=True, slots=True)
class Proxied:
    """`endpoints`: where the swarm connects instead; `control` is None without proxies."""

    endpoints: tuple[Endpoint, ...]
    control: ToxiproxyControl | None
    pids: tuple[int, ...]


@contextmanager
def proxied(plan: Plan, endpoints: tuple[Endpoint, ...], address: str = "127.0.0.1") -> Iterator[Proxied]:
    """A proxy `access-1`, `access-2`, … before each endpoint if the plan has faults on
    the path; none otherwise. `address`: where they listen.

    Proxies in a Toxiproxy of somebody else's are removed at the end, one of our own is stopped; so are those
    that killed runs have left in one. Raises CannotRun.
    """
    keep_promises_of_the_dead()
    if not plan.toxiproxy and not any(fault.pulls == PROXIES for fault in plan.faults):
        yield Proxied(endpoints, None, ())
        return
    process = None
    url = plan.toxiproxy
    if not url:
        process, url = _start(plan.seed)
    control = ToxiproxyControl(url)
    made: list[str] = []
    promise = Promise(url)
    try:
        through = []
        for number, endpoint in enumerate(endpoints, 1):
            # Of the ladder's way it is the scheduler that can be broken; that names the true access points.
            name = f"access-{number}" if endpoint.origin is None else SCHEDULER
            upstream = f"{endpoint.host}:{endpoint.port}"
            if process is None:
                promise.add(name, upstream)
            listen = control.create_proxy(name, f"{address}:0", upstream)
            made.append(name)
            host, _, port = listen.rpartition(":")
            through.append(
                asking_at(endpoint, int(port))
                if endpoint.origin
                else endpoint.moved(host.strip("[]"), int(port))
            )
        yield Proxied(tuple(through), control, (process.pid,) if process else ())
    except ToxiproxyError as error:
        raise CannotRun(str(error)) from error
    finally:
        if process is not None:
            process.terminate()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()
        else:
            with promise:
                for name in made:
                    control.delete_proxy(name)


def _start(seed: int) -> tuple["subprocess.Popen[bytes]", str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "chatproof", "toxiproxy", "--host", "127.0.0.1", "--port", "0",
         "--seed", str(seed), "--parent", str(os.getpid())],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    until = time.monotonic() + _START_S
    said = b""
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
        more = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not more:
            process.kill()
            process.wait()
            raise CannotRun("the fault proxy did not start; try: chatproof toxiproxy")
        said += more
    return process, said.decode().split()[-1]
