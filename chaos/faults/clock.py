"""clock=+1h: the server's clock is stepped, forward or back, and stepped again when the fault is over."""

from chaos.burden import Burden
from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.quantities import seconds
from chaos.server_fault import BurdenFault


@fault
class Clock(BurdenFault):
    """What the server takes for the time of day: in ids, in times that it stores and tells, in tokens. The
    machine's clock stays as it is, and timers go by another one, as they should."""

    name = "clock"
    example = "clock=+1h at 10s for 10s"
    color = "#bd9e39"
    wild = ("clock=+1h", "clock=-10m")
    trials = ("clock=+1h on server", "clock=-1h on server")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "Clock":
        text = needed(cls, value)
        sign, amount = text[:1], text[1:]
        if stream or sign not in ("+", "-", "−"):
            raise FaultSyntaxError(
                f"clock={text}: a step forward (+) or back (-) of some time, like {cls.example}"
            )
        ahead_s = seconds(amount)
        return cls(text, Burden(clock_ahead_s=ahead_s if sign == "+" else -ahead_s))
