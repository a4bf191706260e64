"""timeout=5s: nothing passes, and idle connections are closed after that time; without a value never."""

from chaos.fault import ToxicFault, fault
from chaos.quantities import milliseconds


@fault
class Timeout(ToxicFault):
    """Healing closes the connections that lost something: there is no way on for them."""

    name = "timeout"
    example = "timeout=5s"
    color = "#7f7f7f"
    wild = ("timeout=2s",)

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Timeout":
        return cls(value, {"timeout": round(milliseconds(value)) if value else 0}, stream)
