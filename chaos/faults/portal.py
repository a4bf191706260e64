"""portal: a captive portal answers everything with 200 and a page to log in on, and nothing gets through."""

from chaos.detour import DetourFault, StandIn
from chaos.fault import fault, unneeded
from chaos.portal import Portal


@fault
class CaptivePortal(DetourFault):
    """As in a hotel before one has logged in; connections that exist end as it begins."""

    name = "portal"
    example = "portal at 10s for 5s"
    color = "#d6616b"
    trials = ("portal", "portal on scheduler;new_network")

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "CaptivePortal":
        unneeded(cls, value, stream)
        return cls()

    def stand_in(self, upstream: str) -> StandIn:
        return Portal()
