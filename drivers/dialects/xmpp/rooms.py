"""Groups as rooms (XEP-0045): a device enters them by itself, and opens those that nobody entered before."""

from xml.etree.ElementTree import Element

from drivers.contract import Identity
from drivers.dialects.xmpp import addresses
from drivers.dialects.xmpp.elements import (
    DISCO_ITEMS,
    FORMS,
    ROOM_OWNERS,
    ROOM_USERS,
    ROOMS,
    STANZA_ERRORS,
    condition,
    escaped,
    named,
)
from drivers.dialects.xmpp.target import Target

OPENING, LOOKING = "open ", "services"
MOST_TRIES = 50
"""A room that another device is just opening lets nobody else in before that is done."""
NOT_HERE = frozenset(
    {
        "feature-not-implemented", "forbidden", "not-allowed", "remote-server-not-found",
        "remote-server-timeout", "service-unavailable",
    }
)  # fmt: skip
"""What is said where no room can be had at all, whoever asks and however often."""
_USER = named(ROOM_USERS, "x")
_STATUS = named(ROOM_USERS, "status")
_ERROR = named("jabber:client", "error")
_ITEMS = f"{named(DISCO_ITEMS, 'query')}/{named(DISCO_ITEMS, 'item')}"
_SELF, _CREATED = "110", "201"


def entering(target: Target, room: str, identity: Identity) -> bytes:
    """To be in the room under a name that says whose device it is; without what was said before."""
    to = f"{escaped(room)}/{escaped(identity.user)}/{escaped(identity.device)}"
    return (
        f"<presence{target.namespace} to='{to}'><x xmlns='{ROOMS}'><history maxstanzas='0'/></x></presence>"
    ).encode()


def opening(target: Target, room: str) -> bytes:
    """A room that was made by entering it is open to all from now on, and stays when everybody has left."""
    return (
        f"<iq{target.namespace} type='set' id='{OPENING}{escaped(room)}' to='{escaped(room)}'>"
        f"<query xmlns='{ROOM_OWNERS}'><x xmlns='{FORMS}' type='submit'>"
        "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
        "<field var='muc#roomconfig_persistentroom'><value>1</value></field>"
        "</x></query></iq>"
    ).encode()


def looking(target: Target) -> bytes:
    """The question which services the server has."""
    return (
        f"<iq{target.namespace} type='get' id='{LOOKING}' to='{escaped(target.domain)}'>"
        f"<query xmlns='{DISCO_ITEMS}'/></iq>"
    ).encode()


def services(answer: Element) -> list[str] | None:
    """Those that the answer names; None where the server does not tell."""
    if answer.get("type") != "result":
        return None
    return [item.get("jid", "") for item in answer.iterfind(_ITEMS)]


class Answer:
    """What a presence says about entering a room. `is_mine`: this device is in; `is_new`: it made the room;
    `error`: why it is not in, "" if it is or nothing was said about that."""

    __slots__ = ("error", "is_mine", "is_new", "room")

    def __init__(self, presence: Element) -> None:
        self.room = addresses.bare(presence.get("from", ""))
        codes = {status.get("code") for user in presence.iterfind(_USER) for status in user.iterfind(_STATUS)}
        is_here = presence.get("type") is None
        self.is_mine = is_here and _SELF in codes
        self.is_new = is_here and _CREATED in codes
        error = presence.find(_ERROR)
        self.error = "" if error is None else condition(error, STANZA_ERRORS)
