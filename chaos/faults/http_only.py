"""http_only: a proxy in between lets plain HTTP requests through and nothing else, as in some hotels."""

from chaos.detour import DetourFault, StandIn
from chaos.fault import fault, unneeded
from chaos.http_only import HttpOnly as Tinyproxy


@fault
class HttpOnly(DetourFault):
    """tinyproxy, which every request is led through: no CONNECT, no upgrade to WebSocket, no TLS."""

    name = "http_only"
    example = "http_only at 10s for 10s"
    color = "#e7969c"

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "HttpOnly":
        unneeded(cls, value, stream)
        return cls()

    def stand_in(self, upstream: str) -> StandIn:
        return Tinyproxy(upstream)
