"""What faults that are toxics which know messages have in common."""

from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import ToxicFault
from chaos.toxics import toxic_types


class FrameFault(ToxicFault):
    """Needs our own Toxiproxy, and says at once what that would refuse."""

    @classmethod
    def silent_over(cls, carrier: str) -> str:
        if carrier in ("tls", "wss"):
            return "within TLS nobody sees messages"
        return "HTTP requests are no stream of messages" if carrier.endswith("poll") else ""

    def __init__(self, value: str | None, attributes: dict[str, Any], stream: str | None) -> None:
        super().__init__(value, attributes, stream)
        try:
            toxic_types()[self.name].attributes(**attributes).check()
        except ValueError as error:
            raise FaultSyntaxError(f"{self.name}={value}: {error}") from None
