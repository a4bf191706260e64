"""What a run's fault plan and its nemesis come to: a network, a carrier, and faults at their times."""

from dataclasses import replace

from chaos.errors import FaultSyntaxError, PacketsError
from chaos.fault import fault_kinds
from chaos.fault_plan import FaultPlan, load_fault_plan, networks_for
from chaos.nemesis import Nemesis, forms
from chaos.packet_fault import PacketFault
from chaos.packets import nat
from chaos.packets.loopback import LOOPBACK
from chaos.packets.network import CLIENT_ADDRESSES, KINDS, Network
from chaos.plan import FaultSpec
from chatproof.errors import CannotRun, WrongUse
from chatproof.listening import LADDER
from chatproof.plan import NO_NETWORK, Plan
from scenarios.options import source_addresses

_KNOWN_APART = 20
"""By so many addresses clients can be told apart: a share of them is exact to a twentieth."""


def broken_down(plan: Plan) -> list[FaultSpec]:
    """The plan says by itself what goes wrong and when: `fault_plan` and `nemesis` have become faults, and
    network, carrier and processes are what these need. Nothing of that is drawn again when it is run again.

    The faults that this brought, in order of their beginning. Raises WrongUse for what contradicts the plan,
    CannotRun where the machine lacks what they need.
    """
    try:
        before = plan.faults
        brought: list[FaultSpec] = []
        if plan.fault_plan:
            brought += _planned(plan)
        if plan.nemesis is not None:
            brought += _drawn(plan)
        if not brought and not plan.fault:
            return []
        _choose_network(plan, [*before, *brought])
    except FaultSyntaxError as error:
        raise WrongUse(str(error)) from error
    plan.fault_plan, plan.nemesis = "", None
    brought.sort(key=lambda spec: spec.at_s)
    plan.fault += [spec.as_mapping() for spec in brought]
    return brought


def addresses_of(plan: Plan) -> tuple[str, ...]:
    """Where the swarm's clients come from if a fault picks some of them; () for wherever the kernel likes."""
    if not any(spec.picks_clients for spec in plan.faults):
        return ()
    if plan.network.own is not None:
        return CLIENT_ADDRESSES
    return source_addresses(max(_KNOWN_APART, plan.options().sources))


def possible_networks() -> dict[str, str]:
    """By kind of network, why this machine cannot have one; "" where it can. They are made and removed."""
    found = {}
    for kind in KINDS:
        try:
            with Network(kind):
                found[kind] = ""
        except PacketsError as error:
            found[kind] = str(error)
    return found


def _planned(plan: Plan) -> list[FaultSpec]:
    wanted = load_fault_plan(plan.fault_plan)
    _settle(plan, wanted)
    return [replace(spec, phase=f"{wanted.name}: {spec.phase}") for spec in wanted.schedule(plan.duration_s)]


def _settle(plan: Plan, wanted: FaultPlan) -> None:
    if wanted.carrier and plan.target.carrier != wanted.carrier:
        if plan.target.carrier != "tcp" or not plan.target.is_ours:
            raise WrongUse(
                f"fault plan {wanted.name} needs the embedded server, and --carrier {wanted.carrier}"
            )
        plan.target.carrier = wanted.carrier
    if wanted.access_processes is not None and plan.target.access_processes is None:
        plan.target.access_processes = wanted.access_processes
    if plan.network.nat == nat.SILENT:
        plan.network.nat = wanted.nat
    if plan.network.forgets_after == "":
        plan.network.forgets_after = wanted.forgets_after


def _drawn(plan: Plan) -> list[FaultSpec]:
    assert plan.nemesis is not None
    asked = plan.nemesis
    nemesis = Nemesis(asked.seed, asked.density, asked.longest_s, tuple(asked.faults))
    nemesis.check()
    named = [kind for name, kind in fault_kinds().items() if name in nemesis.faults]
    if not plan.network.is_apart and plan.target.is_ours and not plan.toxiproxy:
        able = [kind for kind, why in possible_networks().items() if not why]
        fits = [kind for kind in able if all(_is_in(each, kind) for each in named)]
        # Each seed in another kind of network, so that a row of them sees all.
        if fits and (not named or any(issubclass(kind, PacketFault) for kind in named)):
            plan.network.kind = fits[nemesis.seed % len(fits)]
    drawable = forms(
        plan.network.own,
        has_access=plan.access_processes > 0,
        is_ours=plan.target.is_ours,
        ladder=plan.target.carrier == LADDER,
        only=nemesis.faults,
    )
    if not drawable:
        raise WrongUse("nemesis: none of its faults is possible with this target and this network")
    name = f"nemesis {nemesis.seed}"
    return [replace(spec, phase=name) for spec in nemesis.schedule(plan.duration_s, drawable)]


def _is_in(kind: type[object], network: str) -> bool:
    return not issubclass(kind, PacketFault) or network in kind.networks


def _choose_network(plan: Plan, specs: list[FaultSpec]) -> None:
    """Where the plan leaves it open, the first kind that can do all of it and that the machine can have."""
    of_packets = any(issubclass(fault_kinds()[spec.name], PacketFault) for spec in specs)
    if not (of_packets or plan.network.forgets_after) or plan.network.kind not in (NO_NETWORK, LOOPBACK):
        return
    if not plan.target.is_ours or plan.toxiproxy:
        raise WrongUse(
            "faults of packets need a network of the run's own, and that leads to the embedded server only"
        )
    kinds = networks_for(specs)
    if plan.network.forgets_after:
        kinds = tuple(kind for kind in kinds if kind == "nat")
    if not kinds:
        raise WrongUse("no kind of network can do all of these faults; leave out some")
    able = possible_networks()
    chosen = next((kind for kind in kinds if not able[kind]), None)
    if chosen is None:
        raise CannotRun(f"these faults need a network of their own ({' or '.join(kinds)}): {able[kinds[0]]}")
    plan.network.kind = chosen
