"""From a bound resource to a device that is there: counts, carbons, presence, rooms, and the archive's end.

All of it is asked for at once. The device is in when everything was answered, so that nothing said to it from
then on can pass it by.
"""

from xml.etree.ElementTree import Element

from drivers import events
from drivers.dialects.xmpp import addresses, rooms
from drivers.dialects.xmpp.archive import Archive
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
        awaited = self._awaited = dict[str, int]()
        self._counts = None
        if login.has_session:
            self._ask(_SESSION, f"<session xmlns='{SESSION}'/>")
        self._counts = Management(is_on=login.manages)
        if login.manages:
            awaited[_ENABLE] = 1
            self._out += f"<enable xmlns='{MANAGEMENT}' resume='true'/>".encode()
        self._ask(_CARBONS, f"<enable xmlns='{CARBONS}'/>")
        places = [addresses.room_address(group, target.rooms) for group in identity.rooms]
        known = self._archives or {}
        self._archives = {}
        for place in ["", *places] if target.archive else ():
            self._archives[place] = known.get(place) or Archive(place)
        # Before the presence: a server does not send what was said offline to who reads the archive.
        self._read_archive("")
        self._say(f"<presence{target.namespace}/>".encode())
        for room in places:
            awaited[_ROOM + room] = 1
            self._say(rooms.entering(target, room, identity))

    def _ask(self, name: str, question: str) -> None:
        assert self._awaited is not None, "coming in"
        self._awaited[name] = 1
        self._say(f"<iq{self._target.namespace} type='set' id='{name}'>{question}</iq>".encode())

    def _done(self, what: str, happened: list[Event]) -> None:
        """What was awaited has been answered, one way or the other."""
        awaited = self._awaited
        if awaited is not None and awaited.pop(what, 0) and not awaited:
            self._awaited = None
            self._logged_in(happened)

    def _logged_in(self, happened: list[Event]) -> None:
        happened.append(events.LoggedIn(self._identity.user, 0, 0, 0.0, (), ""))

    def _enabled(self, enabled: Element, happened: list[Event]) -> None:
        if self._counts is not None:
            self._counts.handled = 0  # what came before, the server has not counted
            self._counts.token = enabled.get("id", "") if enabled.get("resume") in ("true", "1") else ""
        self._done(_ENABLE, happened)

    def _not_enabled(self, failed: Element, happened: list[Event]) -> None:
        if self._awaited is not None and _ENABLE in self._awaited:
            self._counts = Management(is_on=False)
            self._done(_ENABLE, happened)

    def _present(self, presence: Element, happened: list[Event]) -> None:
        answer = rooms.Answer(presence)
        name, awaited = _ROOM + answer.room, self._awaited
        if awaited is None or name not in awaited:
            return
        if answer.is_mine:
            if answer.is_new:
                awaited[rooms.OPENING + answer.room] = 1
                self._say(rooms.opening(self._target, answer.room))
            self._read_archive(answer.room)  # a room tells what was said in it only to who is there
            self._done(name, happened)
        elif answer.error:
            awaited[name] += 1
            if awaited[name] > rooms.MOST_TRIES:
                raise Turned(ErrorCode.NOT_PERMITTED, f"room {answer.room}: {answer.error}", is_final=False)
            self._say(rooms.entering(self._target, answer.room, self._identity))


_ENABLE, _CARBONS, _SESSION, _ROOM = "enable", "carbons", "session", "room "
