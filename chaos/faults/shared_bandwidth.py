"""shared_bandwidth=500KB/s: all connections of a proxy together carry no more than that."""

from chaos.fault import ToxicFault, fault, needed
from chaos.quantities import rate_kb_s


@fault
class SharedBandwidth(ToxicFault):
    """For each direction by itself; 0KB/s stalls without closing. Needs our own Toxiproxy."""

    name = "shared_bandwidth"
    example = "shared_bandwidth=500KB/s"
    color = "#756bb1"
    wild = ("shared_bandwidth=100KB/s", "shared_bandwidth=500KB/s")
    ends_connections = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "SharedBandwidth":
        return cls(value, {"rate": rate_kb_s(needed(cls, value))}, stream)
