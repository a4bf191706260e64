"""Drops and refusals on the way of the packets: one rule a trouble and direction, each counting its own."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from chaos.packets.namespace import Namespace
from chaos.packets.nftables import Nftables

TABLE = "chatproof"
_BEFORE_OTHERS = -10
_LOSS_STEPS = 1_000_000
_serial = itertools.count(1)

REFUSALS = {
    "drop": "drop",
    "reset": "reject with tcp reset",
    "unreachable": "reject with icmp type host-unreachable",
    "port-unreachable": "reject with icmp type port-unreachable",
    "net-unreachable": "reject with icmp type net-unreachable",
    "prohibited": "reject with icmp type admin-prohibited",
}


@dataclass(frozen=True, slots=True)
class Post:
    """Where packets of one direction are looked at: a hook of a namespace that they reach by `device`.

    Always one where they arrive: who is refused a packet on its way out is told, and sends another.
    """

    namespace: Namespace
    hook: str
    device: str


class Firewall:
    """Rules at one post. Raises PacketsError."""

    def __init__(self, post: Post) -> None:
        self._device = post.device
        self._nft = Nftables(post.namespace)
        self._nft.do(
            f"add table ip {TABLE}\n"
            f"add chain ip {TABLE} troubles {{ type filter hook {post.hook} priority {_BEFORE_OTHERS}; }}"
        )

    def add(self, condition: str, verdict: str) -> int:
        """Packets that meet the condition meet the verdict; the number of the rule."""
        number = next(_serial)
        self._nft.do(
            f'add rule ip {TABLE} troubles iifname "{self._device}" {condition} '
            f'counter {verdict} comment "{number}"'
        )
        return number

    def remove(self, number: int) -> int:
        """The rule is gone; how many packets it met. 0 when there is none of that number."""
        for rule in self._nft.rules(f"ip {TABLE}", "troubles"):
            if rule.get("comment") == str(number):
                self._nft.do(f"delete rule ip {TABLE} troubles handle {rule['handle']}")
                return int(next(each["counter"]["packets"] for each in rule["expr"] if "counter" in each))
        return 0

    def close(self) -> None:
        self._nft.close()


def one_in(share: float) -> str:
    """The condition that a packet is one of that share, by the kernel's own dice, which have no seed."""
    hit = round(share * _LOSS_STEPS)
    return f"numgen random mod {_LOSS_STEPS} < {hit}" if hit < _LOSS_STEPS else ""


def ports(kind: str, numbers: Iterable[int]) -> str:
    """The condition that the port, `sport` or `dport`, is one of these."""
    return f"tcp {kind} {{ {', '.join(map(str, sorted(numbers)))} }}"
