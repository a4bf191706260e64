"""limit_data=10KB: connections are closed once they carried that much."""

from chaos.fault import ToxicFault, fault, needed
from chaos.quantities import size_bytes


@fault
class LimitData(ToxicFault):
    """Of what the server sends, unless said otherwise."""

    name = "limit_data"
    example = "limit_data=10KB"
    color = "#e377c2"
    wild = ("limit_data=2KB", "limit_data=20KB")
    default_stream = "downstream"

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "LimitData":
        return cls(value, {"bytes": size_bytes(needed(cls, value))}, stream)
