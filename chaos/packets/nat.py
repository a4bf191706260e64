"""A router that translates addresses and forgets connections; its kind says what becomes of those then."""

from collections.abc import Sequence
from itertools import cycle

from chaos.errors import PacketsError
from chaos.packets.firewall import TABLE
from chaos.packets.namespace import Namespace
from chaos.packets.nftables import Nftables
from chaos.packets.programs import program

_TRIES = 20
INSIDE, OUTSIDE = "inside", "outside"
REMEMBERS_S = 432_000
"""For how long the kernel remembers a connection that says nothing, unless told otherwise."""

SILENT, HEALING, RESET = "silent", "healing", "reset"
KINDS = {
    SILENT: "nothing of a forgotten connection passes, and nobody is told",
    HEALING: "the next packet from inside makes it known again; until then nothing comes in",
    RESET: "whoever uses a forgotten connection gets a reset",
}
_FORWARDED = {
    SILENT: "ct state invalid counter drop",
    HEALING: "",
    RESET: "ct state invalid meta l4proto tcp counter reject with tcp reset",
}
_ARRIVING = {
    SILENT: f'iifname "{OUTSIDE}" ct state != established counter drop',
    HEALING: f'iifname "{OUTSIDE}" ct state != established counter drop',
    RESET: "",
}


class Nat:
    """The router's namespace translates what goes from INSIDE to OUTSIDE. Raises PacketsError."""

    def __init__(
        self, router: Namespace, kind: str, forgets_after_s: float | None, addresses: Sequence[str]
    ) -> None:
        """`addresses`: those of OUTSIDE; the first is used until there is a handover to the next."""
        if kind not in KINDS:
            raise PacketsError(f"there is no kind of NAT {kind!r}; there are {', '.join(KINDS)}")
        self._router = router
        self._addresses = cycle(addresses)
        self._conntrack = program("conntrack", "conntrack")
        self._kind = kind
        self._forgets_by_itself = forgets_after_s is not None
        self._remembers_s = [REMEMBERS_S if forgets_after_s is None else forgets_after_s]
        nft = Nftables(router)
        try:
            nft.do(
                f"add table ip {TABLE}-nat\n"
                f"add chain ip {TABLE}-nat forwarded {{ type filter hook forward priority 0; }}\n"
                f"add chain ip {TABLE}-nat arriving {{ type filter hook input priority 0; }}\n"
                f"add chain ip {TABLE}-nat coming {{ type nat hook prerouting priority dstnat; }}\n"
                f"add chain ip {TABLE}-nat leaving {{ type nat hook postrouting priority srcnat; }}\n"
                + _rule("forwarded", _FORWARDED[kind])
                + _rule("arriving", _ARRIVING[kind])
                + _rule("leaving", f'oifname "{OUTSIDE}" snat to {next(self._addresses)}')
            )
        finally:
            nft.close()
        router.set(ipv4__ip_forward=1)
        self._remember()

    def forget(self) -> int:
        """All connections are forgotten at once, until `remember_again(REMEMBERS_S)`; how many were known."""
        self._remembers_s.append(REMEMBERS_S)
        self._remember()
        return self._drop()

    def hand_over(self, clients: Sequence[str] = ()) -> tuple[int, str]:
        """Connections from inside get the next address of OUTSIDE from now on, those of these clients or all,
        and what they had is forgotten until `remember_again(REMEMBERS_S)`; how many were, and the address."""
        address = next(self._addresses)
        whose = f"ip saddr {{ {', '.join(clients)} }}" if clients else ""
        # Before those of earlier handovers: the last one counts.
        rule = f'insert rule ip {TABLE}-nat leaving oifname "{OUTSIDE}" {whose} snat to {address}'
        self._rewrite(rule)
        self._remembers_s.append(REMEMBERS_S)
        self._remember()
        return sum(self._drop("-s", each) for each in clients) if clients else self._drop(), address

    def lead(self, port: int, to: str) -> None:
        """Who connects from inside to that port of anybody comes to `to`, HOST:PORT, instead."""
        self._rewrite(f'add rule ip {TABLE}-nat coming iifname "{INSIDE}" tcp dport {port} dnat to {to}')

    def lead_nowhere(self) -> None:
        """Ends what `lead` began."""
        self._rewrite(f"flush chain ip {TABLE}-nat coming")

    def _rewrite(self, rule: str) -> None:
        nft = Nftables(self._router)
        try:
            nft.do(rule)
        finally:
            nft.close()

    def forget_after(self, idle_s: float) -> None:
        """A connection is forgotten when nothing passed for that long, counted from its next packet on."""
        self._remembers_s.append(idle_s)
        self._remember()

    def remember_again(self, idle_s: float) -> None:
        """Ends what `forget` or `forget_after` began; after the last of them, what the inside says makes a
        forgotten connection known again."""
        if idle_s in self._remembers_s[1:]:
            at = self._remembers_s.index(idle_s, 1)
            del self._remembers_s[at]
            self._remember()

    def known(self) -> int:
        """How many connections it remembers."""
        return _count(self._tell("-L", "-p", "tcp"))

    def _remember(self) -> None:
        idle_s = max(round(min(self._remembers_s)), 1)
        learns = self._kind == HEALING or not (self._forgets_by_itself or self._remembers_s[1:])
        self._router.set(
            netfilter__nf_conntrack_tcp_timeout_established=idle_s,
            netfilter__nf_conntrack_tcp_loose=int(learns),
        )

    def _drop(self, *conditions: str) -> int:
        """The connections that meet the conditions are forgotten; about how many were."""
        known = _count(self._tell("-L", "-p", "tcp", *conditions))
        for left in reversed(range(_TRIES)):
            try:
                self._tell("-D", "-p", "tcp", *conditions)
                break
            except PacketsError:
                # One that ended by itself between being looked up and being deleted stops the program.
                if not left:
                    raise
        return known

    def _tell(self, *words: str) -> str:
        try:
            return self._router.run([self._conntrack, *words])
        except PacketsError as error:
            if "0 flow entries" in str(error):  # its way to say that there is nothing to do
                return ""
            raise


def _rule(chain: str, rule: str) -> str:
    return f"add rule ip {TABLE}-nat {chain} {rule}\n" if rule else ""


def _count(said: str) -> int:
    # Each is shown as it is seen from either side.
    return said.count("src=") // 2
