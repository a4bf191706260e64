"""What follows from the codes with which a broker says no, in a CONNACK (3.2.2) or a DISCONNECT (3.14)."""

from drivers import events
from drivers.contract import Ended
from drivers.dialects.mqtt.fields import REASON, SERVER_REFERENCE, Properties
from drivers.events import CloseReason, Event

FAILURE = 0x80
"""Codes from here on are failures, in version 5 and in every SUBACK."""

_OLD = {
    1: "the broker does not speak this version; another is asked for with ?version=",
    2: "the client identifier is refused (some brokers say so of too long a keep-alive as well)",
    3: "the server is unavailable",
    4: "wrong user or password",
    5: "not authorized",
}
_UNAVAILABLE_OLD = 3
_NEW = {
    0x81: "malformed packet", 0x82: "protocol error", 0x83: "refused by the implementation",
    0x84: "the broker does not speak this version; another is asked for with ?version=",
    0x85: "the client identifier is refused", 0x86: "wrong user or password", 0x87: "not authorized",
    0x88: "the server is unavailable", 0x89: "the server is busy", 0x8A: "banned",
    0x8B: "the server is shutting down", 0x8C: "bad authentication method", 0x8D: "keep-alive timeout",
    0x8E: "session taken over", 0x8F: "a topic filter is refused", 0x90: "the topic is refused",
    0x91: "the packet identifier is in use", 0x92: "the packet identifier is unknown",
    0x93: "receive maximum exceeded", 0x94: "the topic alias is invalid", 0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded", 0x98: "administrative action", 0x99: "the payload format is refused",
    0x9A: "retained messages are not supported", 0x9B: "the QoS is not supported",
    0x9C: "use another server", 0x9D: "the server was moved", 0x9E: "shared subscriptions are not supported",
    0x9F: "connection rate exceeded", 0xA0: "maximum connect time",
    0xA1: "subscription identifiers are not supported", 0xA2: "wildcards are not supported",
}  # fmt: skip
_TAKEN_OVER = 0x8E
_ELSEWHERE = (0x8B, 0x9C, 0x9D)
_FINAL = (1, 2, 4, 5, 0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C)
"""What trying again with the same words cannot mend."""


def in_words(code: int, properties: Properties) -> str:
    """Code and meaning, with what the broker adds."""
    known = _NEW.get(code) or _OLD.get(code) or "a reason that is not known here"
    added = properties.get(REASON, "")
    return f"{known} ({added})" if added else known


def refused(code: int, properties: Properties) -> list[Event]:
    """What a CONNACK with a code above 0 means."""
    words = in_words(code, properties)
    if code in _FINAL:
        return [events.Refused(code, words)]
    return closed(code, properties) if code >= FAILURE else [Ended(CloseReason.ERROR, f"{code} {words}")]


def closed(code: int, properties: Properties) -> list[Event]:
    """What a DISCONNECT of the broker means."""
    words = in_words(code, properties)
    if code == _TAKEN_OVER:
        return [events.GoneAway("replaced", 0.0), Ended(CloseReason.REPLACED, words)]
    if code in _ELSEWHERE:
        named = tuple(properties.get(SERVER_REFERENCE, "").split())
        return [events.GoneAway("draining", 0.0, named), Ended(CloseReason.DRAINING, words, 0.0, named)]
    return [Ended(CloseReason.ERROR, f"{code} {words}")]
