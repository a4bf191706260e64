"""What a device that comes in waits for, and what it learns of the server meanwhile."""

from collections.abc import Iterable

from drivers.dialects.xmpp.management import Management

CARBONS, ARCHIVE, ROOM_ARCHIVE, ROOMS = "own_devices", "catch_up", "group_catch_up", "groups"
REDELIVERY, RESUMPTION = "redelivery", "resumption"
"""What a server may leave out, by the names under which runs and cases know it (docs/foreign-servers.md)."""

_WHY = {
    CARBONS: "the server has no carbons (XEP-0280), so a user's other devices do not hear what one sends",
    ARCHIVE: "the server has no archive (XEP-0313), so what one device of a user took is gone for the others",
    ROOM_ARCHIVE: "rooms have no archive (XEP-0313), so a device that was away misses what was said there",
    REDELIVERY: "the server neither resumes streams (XEP-0198) nor has an archive (XEP-0313), so what is "
    "under way when a connection breaks is lost",
    RESUMPTION: "the server resumes no streams (XEP-0198 5)",
}


class Coming:
    """Exists until the device is in. `awaited`: what has to be answered, each with the times it was asked."""

    __slots__ = ("_lacks", "awaited")

    def __init__(self) -> None:
        self.awaited: dict[str, int] = {}
        self._lacks: dict[str, str] = {}

    def begins(self, what: str) -> None:
        """Something is asked for whose answer has to come."""
        self.awaited[what] = 1

    def lack(self, name: str, why: str = "") -> None:
        """The server turned out not to have this."""
        self._lacks.setdefault(name, why or _WHY[name])

    def lacks(self, counts: Management | None) -> Iterable[tuple[str, str]]:
        """All that was found, with `counts` for those of the stream."""
        if counts is None or not counts.token:
            self.lack(RESUMPTION)
            if ARCHIVE in self._lacks:
                self.lack(REDELIVERY)
        return self._lacks.items()
