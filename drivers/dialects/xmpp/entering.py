"""From a bound resource to a device that is there: counts, carbons, presence, rooms, and the archive's end.

All of it is asked for at once. The device is in when everything was answered, so that nothing said to it from
then on can pass it by. What a server turns down it does not have: the device is in without it, and says so.
"""

from xml.etree.ElementTree import Element

from drivers import events
from drivers.dialects.xmpp import addresses, coming, rooms
from drivers.dialects.xmpp.archive import Archive, kept
from drivers.dialects.xmpp.coming import Coming
from drivers.dialects.xmpp.elements import CARBONS, MANAGEMENT, SESSION
from drivers.dialects.xmpp.login import Login, Step, Turned
from drivers.dialects.xmpp.management import Management
from drivers.dialects.xmpp.stream import Stream, acked
from drivers.events import Event
from protocol.errors import ErrorCode


class Entering(Stream):
    __slots__ = ()

    def _come_in(self, login: Login, happened: list[Event]) -> None:
        self._login = None
        happened.extend(acked(each) for each in login.settled)
        if login.step is Step.RESUMED:
            self._logged_in(happened)
            for place in self._archives or ():
                self._read_archive(place, is_resumed=True)
            return
        identity, target = self._identity, self._target
        begun = self._coming = Coming()
        self._counts = None
        if login.has_session:
            self._ask(_SESSION, f"<session xmlns='{SESSION}'/>")
        self._counts = Management(is_on=login.manages)
        if login.manages:
            begun.begins(_ENABLE)
            self._out += f"<enable xmlns='{MANAGEMENT}' resume='true'/>".encode()
        self._ask(_CARBONS, f"<enable xmlns='{CARBONS}'/>")
        places = [addresses.room_address(group, target.rooms) for group in identity.rooms]
        known = self._archives or {}
        self._archives = {}
        for place in ["", *places] if target.archive else ():
            self._archives[place] = known.get(place) or Archive(place)
        if not target.archive:
            begun.lack(coming.ARCHIVE, "the archive is not asked (?archive=no)")
            begun.lack(coming.ROOM_ARCHIVE, "archives are not asked (?archive=no)")
        own = self._archives.get("")
        if own is not None and not own.is_known:
            self._say(kept(target))
        # Before the presence: a server does not send what was said offline to who reads the archive.
        self._read_archive("")
        self._say(f"<presence{target.namespace}/>".encode())
        for room in places:
            begun.begins(_ROOM + room)
            self._say(rooms.entering(target, room, identity))
        if places and target.is_guess:
            # A server may take long to find out that there is nobody of that name.
            begun.begins(rooms.LOOKING)
            self._say(rooms.looking(target))

    def _ask(self, name: str, question: str) -> None:
        assert self._coming is not None, "coming in"
        self._coming.begins(name)
        self._say(f"<iq{self._target.namespace} type='set' id='{name}'>{question}</iq>".encode())

    def _answered_at_the_door(self, what: str, iq: Element, happened: list[Event]) -> None:
        """An answer to one of the questions of somebody who comes in."""
        begun = self._coming
        if begun is None or what not in begun.awaited:
            return
        if what == _CARBONS and iq.get("type") == "error":
            begun.lack(coming.CARBONS)
        if what == rooms.LOOKING:
            self._services(rooms.services(iq), begun)
        self._done(what, happened)

    def _services(self, found: list[str] | None, begun: Coming) -> None:
        rooms_at = self._target.rooms
        if found is None or rooms_at in found:
            return
        others = f" ({', '.join(sorted(found)[:5])}?)" if found else ""
        for name in [name for name in begun.awaited if name.startswith(_ROOM)]:
            self._no_room(
                name[len(_ROOM) :], f"the server names no {rooms_at}; ?rooms=DOMAIN says which{others}", begun
            )

    def _no_room(self, room: str, why: str, begun: Coming) -> None:
        begun.lack(coming.ROOMS, f"there is no group chat: {why}")
        begun.awaited.pop(_ROOM + room, None)
        if self._archives is not None:
            self._archives.pop(room, None)

    def _done(self, what: str, happened: list[Event]) -> None:
        """What was awaited has been answered, one way or the other."""
        begun = self._coming
        if begun is None:
            return
        begun.awaited.pop(what, None)
        if not begun.awaited:
            self._logged_in(happened)

    def _logged_in(self, happened: list[Event]) -> None:
        begun, self._coming = self._coming, None
        lacks = () if begun is None else tuple(begun.lacks(self._counts))
        happened.append(events.LoggedIn(self._identity.user, 0, 0, 0.0, (), "", lacks))

    def _enabled(self, enabled: Element, happened: list[Event]) -> None:
        if self._counts is not None:
            self._counts.handled = 0  # what came before, the server has not counted
            self._counts.token = enabled.get("id", "") if enabled.get("resume") in ("true", "1") else ""
        self._done(_ENABLE, happened)

    def _not_enabled(self, failed: Element, happened: list[Event]) -> None:
        if self._coming is not None and _ENABLE in self._coming.awaited:
            self._counts = Management(is_on=False)
            self._done(_ENABLE, happened)

    def _present(self, presence: Element, happened: list[Event]) -> None:
        answer = rooms.Answer(presence)
        name, begun = _ROOM + answer.room, self._coming
        if begun is None or name not in begun.awaited:
            return
        if answer.is_mine:
            if answer.is_new:
                begun.begins(rooms.OPENING + answer.room)
                self._say(rooms.opening(self._target, answer.room))
            self._read_archive(answer.room)  # a room tells what was said in it only to who is there
            self._done(name, happened)
        elif answer.error in rooms.NOT_HERE:
            self._no_room(answer.room, f"{answer.room}: {answer.error}; ?rooms=DOMAIN names another", begun)
            self._done(name, happened)
        elif answer.error:
            begun.awaited[name] += 1
            if begun.awaited[name] > rooms.MOST_TRIES:
                raise Turned(ErrorCode.NOT_PERMITTED, f"room {answer.room}: {answer.error}", is_final=False)
            self._say(rooms.entering(self._target, answer.room, self._identity))


_ENABLE, _CARBONS, _SESSION, _ROOM = "enable", "carbons", "session", "room "
