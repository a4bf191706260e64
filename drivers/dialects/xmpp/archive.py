"""What a device knows of a message archive (XEP-0313), so that it can ask for what it missed.

What comes by itself proves nothing about what came before it: only reading the archive does. Since a page can
lose an entry on a path that swallows stanzas, and nothing tells, each part is read at several logins, before
what is older is never asked for again; what has come already is known by its id and not shown twice.
"""

from xml.etree.ElementTree import Element

from drivers.contract import Received
from drivers.dialects.xmpp.elements import ARCHIVE, RESULT_SETS, escaped, named
from drivers.dialects.xmpp.target import Target

PAGE = 200
READINGS = 3
"""At how many logins each entry is asked for."""
MOST_SEEN = 1000
"""So many entries later the archive is read even without a login, to forget which ones have come."""
_FIN = named(ARCHIVE, "fin")
_LAST = f"{named(RESULT_SETS, 'set')}/{named(RESULT_SETS, 'last')}"


def kept(target: Target) -> bytes:
    """The wish that the server archives what this user is told: some do so only for who asks (section 7)."""
    return (
        f"<iq{target.namespace} type='set' id='kept'><prefs xmlns='{ARCHIVE}' default='always'>"
        "<always/><never/></prefs></iq>"
    ).encode()


class Archive:
    """Unknown → (its end is asked for) → known → (page after page) → known. `room`: "" for the user's own.

    `is_reading` while an answer is awaited. What comes by itself meanwhile over a new stream is held back
    until what was said before it has been read, so that nobody sees an answer before the question.
    """

    __slots__ = ("_ahead", "_at", "_ends", "_held", "_holds", "_seen", "is_reading", "room")

    def __init__(self, room: str = "") -> None:
        self.room = room
        self.is_reading = False
        self._at = ""
        self._ends: tuple[str, ...] = ()
        self._seen: tuple[set[str], ...] = ()
        self._held: dict[str, Received] | None = None
        self._holds = False
        self._ahead: set[str] | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a place from which on to read."""
        return bool(self._ends)

    @property
    def query_id(self) -> str:
        """By which questions and answers about it are known."""
        return f"archive {self.room}" if self.room else "archive"

    def begin(self, target: Target, *, holds: bool = False) -> bytes:
        """The first question of a reading: from the place on that is certain. `holds`: whether what comes by
        itself waits for the answer; a stream that goes on is in order as it is."""
        self._holds = holds
        self._at = self._ends[0] if self._ends else ""
        self._ahead = set[str]().union(*self._seen) or None
        return self._question(target)

    def go_on(self, target: Target) -> bytes:
        """The question for the next page, or the same one once more."""
        return self._question(target)

    def interrupt(self) -> None:
        """No answer will come any more; what was held back is still to be read."""
        self.is_reading = False
        self._held = self._ahead = None

    def holds(self, entry: str, received: Received) -> bool:
        """Whether a message that came by itself is held back."""
        if not (self.is_reading and self._holds and self._ends):
            return False
        if self._held is None:
            self._held = {}
        self._held[entry] = received
        return True

    def let_go(self, entry: str) -> Received | None:
        """The message that was held back, now that it is its turn."""
        received = None if self._held is None else self._held.pop(entry, None)
        if received is not None:
            self._note(entry)
        return received

    def let_all_go(self) -> list[Received]:
        """What the archive did not have yet when it was read."""
        held, self._held = self._held or {}, None
        for entry in held:
            self._note(entry)
        return list(held.values())

    def _question(self, target: Target) -> bytes:
        self.is_reading = True
        to = f" to='{escaped(self.room)}'" if self.room else ""
        name = escaped(self.query_id)
        if not self._ends:
            where = "<max>1</max><before/>"
        elif self._at:
            where = f"<max>{PAGE}</max><after>{escaped(self._at)}</after>"
        else:
            where = f"<max>{PAGE}</max>"
        return (
            f"<iq{target.namespace} type='set' id='{name}'{to}><query xmlns='{ARCHIVE}' queryid='{name}'>"
            f"<set xmlns='{RESULT_SETS}'>{where}</set></query></iq>"
        ).encode()

    def has_come(self, entry: str) -> bool:
        """An entry came by itself; True when there have been so many that it is time to read."""
        if not self._ends:
            return False
        self._note(entry)
        if self.is_reading:
            if self._ahead is None:
                self._ahead = set()
            self._ahead.add(entry)
        return len(self._seen[-1]) >= MOST_SEEN

    @property
    def is_behind(self) -> bool:
        """Whether something came by itself that the archive has further on: what it brings now had been sent
        before, and was swallowed on the way."""
        return bool(self._ahead)

    def is_new(self, entry: str) -> bool:
        """Whether an entry that the archive brings has not come before, and is asked for."""
        if self._ahead is not None:
            self._ahead.discard(entry)
        if not self._ends or any(entry in seen for seen in self._seen):
            return False
        self._note(entry)
        return True

    def _note(self, entry: str) -> None:
        if not self._seen:
            self._seen = (set(),)
        self._seen[-1].add(entry)

    def answered(self, result: Element) -> bool:
        """The page is whole; True when there is another one to ask for."""
        self.is_reading = False
        fin = result.find(_FIN)
        last = None if fin is None else fin.findtext(_LAST)
        if not self._ends:
            self._ends = (last or "",)
            return False
        if fin is not None and last and fin.get("complete") not in ("true", "1"):
            self._at = last
            return True
        self._ahead = None
        end = last or self._at
        if end != self._ends[-1]:
            self._ends = (*self._ends, end)[-READINGS:]
            self._seen = (*self._seen, set())[-READINGS:]
        return False

    def refused(self, condition: str) -> bool:
        """The question was turned down; True when it is to be asked anew, from the beginning of the archive,
        because it has no such entry any more."""
        self.is_reading = False
        if condition == "item-not-found" and any(self._ends):
            self._ends, self._at = ("",), ""
            return True
        return False
