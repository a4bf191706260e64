"""A network of the run's own, and on which side of it who is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from chaos.errors import PacketsError
from chaos.packets.leftovers import leftovers, remove_leftovers
from chaos.packets.loopback import roomy_loopback
from chaos.packets.namespace import Namespace
from chaos.packets.network import Network
from chatproof.errors import CannotRun
from chatproof.plan import Plan


@contextmanager
def networked(plan: Plan, say: Callable[[str], None]) -> Iterator[Network | None]:
    """The network of the plan, None if it wants none with two sides. This process is on the clients' side for
    the length of the block, with all that it starts there: swarm, proxies and whoever looks after them; in a
    loopback of the run's own the server is there, too.

    To be entered before anything uses gevent's hub. What killed runs have left behind is removed before.
    Raises CannotRun.
    """
    _tidy(plan, say)
    if not plan.network.is_apart:
        yield None
        return
    with ExitStack() as stack:
        try:
            network, here = _made(plan, stack)
            stack.enter_context(here.entered())
        except PacketsError as error:
            raise CannotRun(f'network "{plan.network.kind}": {error}; --network none does without') from error
        yield network


def _made(plan: Plan, stack: ExitStack) -> tuple[Network | None, Namespace]:
    """The network with two sides, if it is to be one, and where this process belongs."""
    wanted = plan.network
    if wanted.own is None:
        return None, stack.enter_context(roomy_loopback(plan.connections))
    network = stack.enter_context(
        Network(wanted.own, seed=plan.seed, nat=wanted.nat, forgets_after_s=wanted.forgets_after_s)
    )
    return network, network.client


def _tidy(plan: Plan, say: Callable[[str], None]) -> None:
    try:
        for name in remove_leftovers():
            say(f"removed network namespace {name}, which a killed run had left behind")
    except PacketsError as error:
        # Who is not allowed to remove them is not disturbed by them either, without a network of his own.
        if plan.network.is_apart:
            raise CannotRun(str(error)) from error
        say(f"cannot remove {', '.join(leftovers())}, left behind by a killed run: {error}")
