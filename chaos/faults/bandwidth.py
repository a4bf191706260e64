"""bandwidth=50KB/s: connections carry no more than that."""

from chaos.fault import ToxicFault, fault, needed
from chaos.quantities import rate_kb_s


@fault
class Bandwidth(ToxicFault):
    """For each connection and direction; 0KB/s stalls without closing."""

    name = "bandwidth"
    example = "bandwidth=50KB/s"
    color = "#9467bd"
    wild = ("bandwidth=5KB/s", "bandwidth=50KB/s")
    ends_connections = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Bandwidth":
        return cls(value, {"rate": rate_kb_s(needed(cls, value))}, stream)
