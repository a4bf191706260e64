"""What servers say when something is wrong, in the words of the harness."""

from xml.etree.ElementTree import Element

from drivers import events
from drivers.contract import Ended
from drivers.dialects.xmpp.elements import CLIENT, STANZA_ERRORS, STREAM_ERRORS, condition, named, said
from drivers.events import CloseReason, Event
from protocol.errors import ErrorCode

_ERROR = named(CLIENT, "error")
_CODES = {
    "bad-request": ErrorCode.MALFORMED,
    "jid-malformed": ErrorCode.MALFORMED,
    "item-not-found": ErrorCode.UNKNOWN_RECIPIENT,
    "service-unavailable": ErrorCode.UNKNOWN_RECIPIENT,
    "recipient-unavailable": ErrorCode.UNKNOWN_RECIPIENT,
    "remote-server-not-found": ErrorCode.UNKNOWN_RECIPIENT,
    "gone": ErrorCode.UNKNOWN_RECIPIENT,
    "forbidden": ErrorCode.NOT_PERMITTED,
    "not-allowed": ErrorCode.NOT_PERMITTED,
    "not-authorized": ErrorCode.NOT_PERMITTED,
    "registration-required": ErrorCode.NOT_PERMITTED,
    "subscription-required": ErrorCode.NOT_PERMITTED,
    "not-acceptable": ErrorCode.CONTENT_BLOCKED,
    "policy-violation": ErrorCode.CONTENT_BLOCKED,
    "feature-not-implemented": ErrorCode.UNKNOWN_KIND,
    "resource-constraint": ErrorCode.TOO_MANY_REQUESTS,
}
_REPLACED = "conflict"
_LEAVING = ("system-shutdown", "see-other-host", "reset")


def rejected(stanza: Element) -> events.Rejected:
    """A message that came back."""
    error = stanza.find(_ERROR)
    if error is None:
        return events.Rejected(stanza.get("id", ""), ErrorCode.SERVER_FAULT, "it came back without a reason")
    code = _CODES.get(condition(error, STANZA_ERRORS), ErrorCode.SERVER_FAULT)
    return events.Rejected(stanza.get("id", ""), code, said(error, STANZA_ERRORS))


def reason_of(stanza: Element) -> str:
    """The condition of a stanza of type error."""
    error = stanza.find(_ERROR)
    return "undefined-condition" if error is None else condition(error, STANZA_ERRORS)


def stream_ended(error: Element) -> list[Event]:
    """What follows from a stream error: the device was replaced, the server goes, or something is broken."""
    what, text = condition(error, STREAM_ERRORS), said(error, STREAM_ERRORS)
    if what == _REPLACED:
        return [events.GoneAway("replaced", 0.0), Ended(CloseReason.REPLACED, text)]
    if what in _LEAVING:
        elsewhere = error.findtext(named(STREAM_ERRORS, "see-other-host"))
        return leaving(text, elsewhere.strip() if elsewhere else "")
    return [Ended(CloseReason.ERROR, f"stream error: {text}")]


def leaving(text: str, elsewhere: str) -> list[Event]:
    """The server wants to be left, for the address `elsewhere` if it names one."""
    where = (elsewhere,) if elsewhere else ()
    return [events.GoneAway("draining", 0.0, where), Ended(CloseReason.DRAINING, text, endpoints=where)]
