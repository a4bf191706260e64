"""A network of our own: clients on one side, a server on the other, and between them what breaks."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from chaos.errors import ChaosError, PacketsError
from chaos.http_only import HttpOnly
from chaos.packets.diag import Flow, connections
from chaos.packets.firewall import REFUSALS, Firewall, Post, one_in, ports
from chaos.packets.impairment import Impairment
from chaos.packets.leftovers import new_names
from chaos.packets.namespace import Namespace
from chaos.packets.nat import INSIDE, OUTSIDE, REMEMBERS_S, SILENT, Nat
from chaos.packets.offloads import switch_off
from chaos.packets.trouble import Trouble
from chaos.packets.wired import Wire

VETH, WIRE, NAT = "veth", "wire", "nat"
KINDS = {
    VETH: "a virtual cable: packets are dropped and refused by nftables",
    WIRE: "a wire in user space: also delay, jitter, order, repeats, damage and rate, repeatable by a seed",
    NAT: "a router between that translates addresses and forgets connections",
}
CLIENT_ADDRESS, SERVER_ADDRESS = "10.77.0.2", "10.77.1.2"
CLIENT_ADDRESSES = tuple(f"10.77.0.{number}" for number in range(20, 40))
"""Also of the client side: those who connect from them can be told apart, and have a fault to themselves."""
_ROUTER_INSIDE = "10.77.0.1"
_ROUTER_OUTSIDE = ("10.77.1.1", *(f"10.77.1.{number}" for number in range(20, 28)))
"""The first is the one that it uses until clients are handed over to the next."""
DEVICE = "net0"
_WEB, _GATEWAY = 80, 3128
_serial = itertools.count(1)
UPSTREAM, DOWNSTREAM = "upstream", "downstream"
BOTH = (UPSTREAM, DOWNSTREAM)

NFTABLES_LAYER, WIRE_LAYER, NAT_LAYER = "nftables", "wire", "conntrack"


class Network:
    """From its making until `close`; also a context manager. Upstream is from the clients to the server.

    Nothing of it is left when making it fails. What is asked of it and cannot be raises PacketsError with one
    line that says which kind of network could. Implements chaos.levers.NetworkLever.
    """

    def __init__(
        self, kind: str, *, seed: int = 1, nat: str = SILENT, forgets_after_s: float | None = None
    ) -> None:
        """`nat`, one of nat.KINDS, and `forgets_after_s` are for a network of kind nat."""
        if kind not in KINDS:
            raise PacketsError(f"there is no network {kind!r}; there are {', '.join(KINDS)}")
        self.kind = kind
        self._dice = random.Random(f"{seed}/network")
        self._namespaces: list[Namespace] = []
        self._gateway: HttpOnly | None = None
        self._led: set[int] = set()
        self._firewalls: dict[str, Firewall] = {}
        self.wire: Wire | None = None
        self.nat: Nat | None = None
        try:
            sides = ["client", "server", "router"] if kind == NAT else ["client", "server"]
            for name in new_names(*sides):
                self._namespaces.append(Namespace(name))
            self.client, self.server = self._namespaces[:2]
            self._join(seed, nat, forgets_after_s)
            self._firewalls = {stream: Firewall(post) for stream, post in self._posts().items()}
        except BaseException:
            self.close()
            raise

    # -- what faults do --

    def impair(
        self, impairment: Impairment, streams: Sequence[str] = BOTH, clients: Sequence[str] = ()
    ) -> Trouble:
        """Packets in these directions suffer that, also; by the wire, or loss alone by nftables. Here and
        below: only those of these `clients`, by address; of all if there are none."""
        if self.wire is not None:
            number = self.wire.impair(impairment, tuple(streams), tuple(clients))
            return Trouble(WIRE_LAYER, impairment=number)
        asked = impairment.as_dict()
        if set(asked) - {"loss"}:
            what = next(name for name in asked if name != "loss")
            raise PacketsError(f'{what} needs a network of kind "{WIRE}", this one is "{self.kind}"')
        return self._filter({stream: [(one_in(impairment.loss), "drop")] for stream in streams}, clients)

    def block(self, numbers: Sequence[int], how: str = "drop", clients: Sequence[str] = ()) -> Trouble:
        """The server's TCP ports of these numbers cannot be reached; `how`: one of firewall.REFUSALS."""
        if how not in REFUSALS:
            raise PacketsError(f"ports cannot be blocked by {how!r}; there are {', '.join(REFUSALS)}")
        wanted = {UPSTREAM: [(ports("dport", numbers), REFUSALS[how])]}
        if how == "drop":
            wanted[DOWNSTREAM] = [(ports("sport", numbers), "drop")]
        return self._filter(wanted, clients)

    def vanish(self, share: float, clients: Sequence[str] = ()) -> tuple[Trouble, int]:
        """Of the connections that there are, that share is dead: nothing of them passes any more, and neither
        side is told. Those made later live. Also says how many it were."""
        flows = sorted(
            flow
            for flow in connections(self.client)
            if flow.peer_address == SERVER_ADDRESS and (not clients or flow.address in clients)
        )
        dead = self._dice.sample(flows, round(len(flows) * share))
        wanted: dict[str, list[tuple[str, str]]] = {UPSTREAM: [], DOWNSTREAM: []}
        for address, port in sorted({(flow.address, flow.peer_port) for flow in dead}):
            ours = [flow.port for flow in dead if (flow.address, flow.peer_port) == (address, port)]
            up, down = _of_clients(UPSTREAM, (address,)), _of_clients(DOWNSTREAM, (address,))
            wanted[UPSTREAM].append((f"{up} {ports('sport', ours)} tcp dport {port}", "drop"))
            wanted[DOWNSTREAM].append((f"{down} {ports('dport', ours)} tcp sport {port}", "drop"))
        return self._filter(wanted), len(dead)

    def part(self, streams: Sequence[str] = BOTH, clients: Sequence[str] = ()) -> Trouble:
        """Nothing passes in these directions."""
        return self._filter({stream: [("", "drop")] for stream in streams}, clients)

    def hand_over(self, clients: Sequence[str] = ()) -> tuple[Trouble, int, str]:
        """The router shows the server another address, and forgets all connections until that is healed, when
        it learns them again; how many, and the address."""
        count, address = self._router().hand_over(clients)
        return Trouble(NAT_LAYER, idle_s=REMEMBERS_S), count, address

    def forget(self) -> tuple[Trouble, int]:
        """The router forgets all connections at once, and learns them again when that is healed; how many."""
        count = self._router().forget()
        return Trouble(NAT_LAYER, idle_s=REMEMBERS_S), count

    def forget_after(self, idle_s: float) -> Trouble:
        """The router forgets connections that were silent for that long."""
        self._router().forget_after(idle_s)
        return Trouble(NAT_LAYER, idle_s=idle_s)

    def web_only(self) -> Trouble:
        """Nothing passes the router but HTTP on port 80, by a proxy on it: no CONNECT, no upgrade, no other
        protocol. Raises also other ChaosErrors, where there is no such proxy."""
        router = self._router()
        trouble = self._filter({UPSTREAM: [("", "drop")]})
        try:
            if self._gateway is None:
                within = self._namespaces[-1].prefix()
                upstream = f"{SERVER_ADDRESS}:{_WEB}"
                self._gateway = HttpOnly(upstream, _ROUTER_INSIDE, port=_GATEWAY, within=within)
                router.lead(_WEB, self._gateway.address)
        except ChaosError:
            self.heal(trouble)
            raise
        number = next(_serial)
        self._led.add(number)
        return replace(trouble, gateway=number)

    def _lead_directly(self) -> None:
        if self.nat is not None:
            self.nat.lead_nowhere()
        if self._gateway is not None:
            self._gateway.close()
            self._gateway = None

    def heal(self, trouble: Trouble) -> dict[str, int]:
        """It is over; how many packets it met, in words. Twice is allowed."""
        if trouble.gateway in self._led:
            self._led.remove(trouble.gateway)
            if not self._led:
                self._lead_directly()
        if trouble.layer == WIRE_LAYER and self.wire is not None:
            return self.wire.mend(trouble.impairment)
        if trouble.layer == NAT_LAYER and self.nat is not None:
            self.nat.remember_again(trouble.idle_s)
            return {}
        met: dict[str, int] = {}
        for stream, number in trouble.rules:
            met[stream] = met.get(stream, 0) + self._firewalls[stream].remove(number)
        return met

    # -- what others want to know --

    client_address = CLIENT_ADDRESS

    def flows(self) -> dict[Flow, int]:
        """The connections that the clients have, and how often these sent something again in each."""
        return connections(self.client)

    def describe(self) -> dict[str, Any]:
        """For the record of a run."""
        told: dict[str, Any] = {"kind": self.kind, "client": CLIENT_ADDRESS, "server": SERVER_ADDRESS}
        told["namespaces"] = [namespace.name for namespace in self._namespaces]
        if self.wire is not None:
            told["packets"] = self.wire.counts()
        return told

    # -- its beginning and end --

    def close(self) -> None:
        """Nothing of it is left. Twice is allowed."""
        if self._gateway is not None:
            self._gateway.close()
            self._gateway = None
        if self.wire is not None:
            self.wire.close()
            self.wire = None
        for firewall in self._firewalls.values():
            firewall.close()
        while self._namespaces:
            self._namespaces[-1].remove()
            self._namespaces.pop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _join(self, seed: int, nat: str, forgets_after_s: float | None) -> None:
        client, server, *routers = self._namespaces
        for namespace in self._namespaces:
            namespace.set(
                ipv6__conf__all__disable_ipv6=1,
                # Else what the path was like is remembered beyond a connection, and between runs.
                ipv4__tcp_no_metrics_save=1,
                ipv4__icmp_ratelimit=0,
            )
            namespace.links("link set lo up")
        if self.kind == WIRE:
            self.wire = Wire(client, server, DEVICE, seed)
        elif self.kind == VETH:
            _cable(client, DEVICE, server, DEVICE)
        else:
            _cable(client, DEVICE, routers[0], INSIDE)
            _cable(routers[0], OUTSIDE, server, DEVICE)
        bits = 24 if self.kind == NAT else 16
        for address in (CLIENT_ADDRESS, *CLIENT_ADDRESSES):
            _address(client, DEVICE, f"{address}/{bits}")
        _address(server, DEVICE, f"{SERVER_ADDRESS}/{bits}")
        if self.kind == NAT:
            _address(routers[0], INSIDE, f"{_ROUTER_INSIDE}/{bits}")
            for address in _ROUTER_OUTSIDE:
                _address(routers[0], OUTSIDE, f"{address}/{bits}")
            client.links(f"route add default via {_ROUTER_INSIDE}")
            self.nat = Nat(routers[0], nat, forgets_after_s, _ROUTER_OUTSIDE)

    def _posts(self) -> dict[str, Post]:
        client, server, *routers = self._namespaces
        up = Post(routers[0], "forward", INSIDE) if routers else Post(server, "input", DEVICE)
        return {UPSTREAM: up, DOWNSTREAM: Post(client, "input", DEVICE)}

    def _filter(self, wanted: dict[str, list[tuple[str, str]]], clients: Sequence[str] = ()) -> Trouble:
        rules: list[tuple[str, int]] = []
        try:
            for stream, pairs in wanted.items():
                whose = _of_clients(stream, clients)
                for condition, verdict in pairs:
                    rules.append((stream, self._firewalls[stream].add(f"{whose} {condition}", verdict)))
        except PacketsError:
            # Who is told that it failed has nothing to heal it by.
            self.heal(Trouble(NFTABLES_LAYER, rules=tuple(rules)))
            raise
        return Trouble(NFTABLES_LAYER, rules=tuple(rules))

    def _router(self) -> Nat:
        if self.nat is None:
            raise PacketsError(
                f'only a network of kind "{NAT}" forgets connections, this one is "{self.kind}"'
            )
        return self.nat


def _cable(one: Namespace, one_device: str, other: Namespace, other_device: str) -> None:
    one.links(f"link add {one_device} type veth peer name {other_device} netns {other.name}")
    switch_off(one, one_device)
    switch_off(other, other_device)


def _of_clients(stream: str, clients: Sequence[str]) -> str:
    """The condition that a packet of that direction is from or to one of them; none for all."""
    return f"ip {'saddr' if stream == UPSTREAM else 'daddr'} {{ {', '.join(clients)} }}" if clients else ""


def _address(namespace: Namespace, device: str, address: str) -> None:
    namespace.links(f"addr add {address} dev {device}", f"link set {device} up")
