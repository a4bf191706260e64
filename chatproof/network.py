"""A network of the run's own, and on which side of it who is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chaos.errors import PacketsError
from chaos.packets.leftovers import leftovers, remove_leftovers
from chaos.packets.network import Network
from chatproof.errors import CannotRun
from chatproof.plan import Plan


@contextmanager
def networked(plan: Plan, say: Callable[[str], None]) -> Iterator[Network | None]:
    """The network of the plan, None if it wants none. This process is on the clients' side for the length of
    the block, with all that it starts there: swarm, proxies and whoever looks after them.

    To be entered before anything uses gevent's hub. What killed runs have left behind is removed before.
    Raises CannotRun.
    """
    _tidy(plan, say)
    kind = plan.network.own
    if kind is None:
        yield None
        return
    try:
        network = Network(
            kind, seed=plan.seed, nat=plan.network.nat, forgets_after_s=plan.network.forgets_after_s
        )
    except PacketsError as error:
        raise CannotRun(f'network "{kind}": {error}; leave out network.kind to do without') from error
    with network, network.client.entered():
        yield network


def _tidy(plan: Plan, say: Callable[[str], None]) -> None:
    try:
        for name in remove_leftovers():
            say(f"removed network namespace {name}, which a killed run had left behind")
    except PacketsError as error:
        # Who is not allowed to remove them is not disturbed by them either, without a network of his own.
        if plan.network.own is not None:
            raise CannotRun(str(error)) from error
        say(f"cannot remove {', '.join(leftovers())}, left behind by a killed run: {error}")
