"""The proxies between swarm and target, through which a run breaks the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from chaos.levers import PROXIES
from chaos.own_proxy import OwnToxiproxy
from chatproof.errors import CannotRun
from chatproof.listening import asking_at
from chatproof.plan import Plan
from chatproof.promises import Promise, keep_promises_of_the_dead
from drivers.endpoints import Endpoint

SCHEDULER = "scheduler"


@dataclass(frozen=True, slots=True)
class Proxied:
    """`endpoints`: where the swarm connects instead; `control` is None without proxies."""

    endpoints: tuple[Endpoint, ...]
    control: ToxiproxyControl | None
    pids: tuple[int, ...]


def keeps_sources(plan: Plan) -> bool:
    """Whether a network behind the proxies has to tell clients apart."""
    return plan.network.own is not None and any(spec.picks_clients for spec in plan.faults)


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
    try:
        own = None if plan.toxiproxy else OwnToxiproxy(plan.seed, keep_sources=keeps_sources(plan))
    except ToxiproxyError as error:
        raise CannotRun(str(error)) from error
    url = plan.toxiproxy if own is None else own.url
    control = ToxiproxyControl(url)
    made: list[str] = []
    promise = Promise(url)
    try:
        through = []
        for number, endpoint in enumerate(endpoints, 1):
            # Of the ladder's way it is the scheduler that can be broken; that names the true access points.
            name = f"access-{number}" if endpoint.origin is None else SCHEDULER
            upstream = f"{endpoint.host}:{endpoint.port}"
            if own is None:
                promise.add(name, upstream)
            listen = control.create_proxy(name, f"{address}:0", upstream)
            made.append(name)
            host, _, port = listen.rpartition(":")
            through.append(
                asking_at(endpoint, int(port))
                if endpoint.origin
                else endpoint.moved(host.strip("[]"), int(port))
            )
        yield Proxied(tuple(through), control, () if own is None else (own.pid,))
    except ToxiproxyError as error:
        raise CannotRun(str(error)) from error
    finally:
        if own is not None:
            own.stop()
        else:
            with promise:
                for name in made:
                    control.delete_proxy(name)
