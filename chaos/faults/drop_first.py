"""drop_first=3: the first three messages of each connection, from then on, never arrive."""

from chaos.errors import FaultSyntaxError
from chaos.fault import fault, needed
from chaos.frame_fault import FrameFault


@fault
class DropFirst(FrameFault):
    """In both directions unless said otherwise; needs our own Toxiproxy. While it is on, no new connection
    gets through, because its login is among the first."""

    name = "drop_first"
    example = "drop_first=3"
    color = "#ad494a"

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "DropFirst":
        count, _, types = needed(cls, value).partition("/")
        if not (count.isascii() and count.isdigit() and int(count)):
            raise FaultSyntaxError(
                f"drop_first={value} is no number of messages; write it like {cls.example}"
            )
        return cls(value, {"count": int(count), "types": types}, stream)
