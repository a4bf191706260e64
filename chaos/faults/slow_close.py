"""slow_close=2s: the end of a connection is seen late."""

from chaos.fault import ToxicFault, fault, needed
from chaos.quantities import milliseconds


@fault
class SlowClose(ToxicFault):
    """Of what the server closes, unless said otherwise."""

    name = "slow_close"
    example = "slow_close=2s"
    color = "#8c564b"
    default_stream = "downstream"
    ends_connections = False

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "SlowClose":
        return cls(value, {"delay": round(milliseconds(needed(cls, value)))}, stream)
