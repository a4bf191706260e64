"""slow_disk=50ms: each commit of the server takes that much longer."""

from chaos.burden import Burden
from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.quantities import seconds
from chaos.server_fault import BurdenFault


@fault
class SlowDisk(BurdenFault):
    """Between the last write of a commit and its end, where a slow disk would hold it up. What is sent
    meanwhile gathers and goes into the next commit."""

    name = "slow_disk"
    example = "slow_disk=200ms at 10s for 10s"
    color = "#8c6d31"
    wild = ("slow_disk=50ms", "slow_disk=500ms")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "SlowDisk":
        delay_s = seconds(needed(cls, value))
        if stream or not delay_s:
            raise FaultSyntaxError(f"slow_disk needs a time and nothing else; write it like {cls.example}")
        return cls(value, Burden(commit_delay_s=delay_s))
