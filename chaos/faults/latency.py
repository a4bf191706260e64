"""latency=300ms±100ms: everything comes late, evenly spread around the given time."""

from chaos.fault import ToxicFault, fault, needed
from chaos.quantities import milliseconds


@fault
class Latency(ToxicFault):
    """In both directions unless said otherwise, so a round trip takes twice as much."""

    name = "latency"
    example = "latency=300ms±100ms"
    color = "#ff7f0e"
    wild = ("latency=100ms±50ms", "latency=800ms±300ms")
    ends_connections = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Latency":
        latency, _, jitter = needed(cls, value).replace("+-", "±").partition("±")
        attributes = {"latency": round(milliseconds(latency)), "jitter": round(milliseconds(jitter or "0ms"))}
        return cls(value, attributes, stream)
