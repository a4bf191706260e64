"""The conformance suite under a fault plan: `python -m chatproof.weathered PID … PLAN --carrier NAME …`.

In a network of its own if that is what the plan needs; it ends with PID, the process that started it.
"""

import random
import sys
from typing import TYPE_CHECKING

from gevent import monkey

from refserver.lifeline import end_with

if TYPE_CHECKING:
    from chaos.fault_plan import FaultPlan
    from chaos.packets.network import Network

CANNOT = 4
"""Another code than that of a case that could not be decided."""


def main() -> int:
    """What pytest says, as the plugin changes it; CANNOT with one line when this machine cannot do the plan,
    or a fault of it."""
    parent, *arguments = sys.argv[1:]
    if not end_with(int(parent)):
        return 0
    monkey.patch_all()
    from chaos.errors import ChaosError
    from chaos.fault_plan import load_fault_plan
    from chaos.packets.network import Network

    at = arguments.index("--carrier") - 1
    name = arguments.pop(at)
    seed = int(arguments[arguments.index("--seed") + 1])
    try:
        plan = load_fault_plan(name)
        if not plan.needs_network:
            return _run(plan, seed, None, arguments)
        forgets_after_s = plan.forgets_after_s
        made = Network(plan.networks[0], seed=seed, nat=plan.nat, forgets_after_s=forgets_after_s)
        with made as network, network.client.entered():
            return _run(plan, seed, network, arguments)
    except ChaosError as error:
        print(f"fault plan {name}: {error}", file=sys.stderr)
        return CANNOT


def _run(plan: "FaultPlan", seed: int, network: "Network | None", arguments: list[str]) -> int:
    import pytest

    from chatproof.embedded import EmbeddedServer
    from conformance.target import target_key
    from conformance.weather import Weather

    weather = Weather(
        plan,
        seed,
        network,
        lambda process: EmbeddedServer(process, random.Random(seed)),
        _addresses(plan, network),
    )

    class Under:
        """The suite's target is under the plan."""

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config: pytest.Config) -> None:
            config.stash[target_key].weather = weather

    return int(pytest.main(arguments, plugins=[Under()]))


def _addresses(plan: "FaultPlan", network: "Network | None") -> tuple[str, ...]:
    """Where clients come from, so that a fault may pick some of them; () if none does."""
    from chaos.packets.network import CLIENT_ADDRESSES
    from scenarios.options import source_addresses

    if not any(spec.picks_clients for spec in plan.schedule(plan.length_s)):
        return ()
    return CLIENT_ADDRESSES if network is not None else source_addresses(len(CLIENT_ADDRESSES))


if __name__ == "__main__":
    sys.exit(main())
