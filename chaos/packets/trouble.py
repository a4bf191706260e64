"""What was done to a network, as it is undone again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """`layer`: what does it. `rules`: direction and number of each packet filter rule. `impairment`: its
    number on the wire. `idle_s`: after which silence a router forgets. `gateway`: the number of a proxy on a
    router."""

    layer: str
    rules: tuple[tuple[str, int], ...] = ()
    impairment: int = 0
    idle_s: float = 0.0
    gateway: int = 0
