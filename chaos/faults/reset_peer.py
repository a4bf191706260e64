"""reset_peer=2s: connections are reset (RST) that long after they carry data; without a value at once."""

from chaos.fault import ToxicFault, fault
from chaos.quantities import milliseconds


@fault
class ResetPeer(ToxicFault):
    """With what the server sends, unless said otherwise; both sides see the reset."""

    name = "reset_peer"
    example = "reset_peer=2s"
    color = "#17becf"
    wild = ("reset_peer=500ms",)
    default_stream = "downstream"

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "ResetPeer":
        return cls(value, {"timeout": round(milliseconds(value)) if value else 0}, stream)
