"""XML elements in and out: a short-lived expat parser for each whole stanza, and escaping."""

import re
from functools import lru_cache
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from protocol.errors import RemoteProtocolError

CLIENT = "jabber:client"
STREAMS = "http://etherx.jabber.org/streams"
STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
MANAGEMENT = "urn:xmpp:sm:3"
CARBONS = "urn:xmpp:carbons:2"
FORWARD = "urn:xmpp:forward:0"
RECEIPTS = "urn:xmpp:receipts"
ARCHIVE = "urn:xmpp:mam:2"
RESULT_SETS = "http://jabber.org/protocol/rsm"
PING = "urn:xmpp:ping"
STANZA_IDS = "urn:xmpp:sid:0"
ROOMS = "http://jabber.org/protocol/muc"
ROOM_USERS = "http://jabber.org/protocol/muc#user"
ROOM_OWNERS = "http://jabber.org/protocol/muc#owner"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
FORMS = "jabber:x:data"

_DECLARED = re.compile(rb"""\sxmlns(?::[^\s=]+)?\s*=\s*(?:"[^"]*"|'[^']*')""")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;"})
_NOT_TEXT = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say, and the carriage return, which every parser makes a line feed of."""


def escaped(text: str) -> str:
    """`text` as content or attribute value."""
    return text.translate(_ESCAPED)


def is_text(text: str) -> bool:
    """Whether `text` survives being content of an element."""
    return _NOT_TEXT.search(text) is None


def named(namespace: str, name: str) -> str:
    """As ElementTree names an element."""
    return f"{{{namespace}}}{name}"


@lru_cache(maxsize=64)
def surroundings(declarations: bytes) -> tuple[bytes, bytes]:
    """What has to stand before and behind a stanza for its namespaces to be known. Shared by all streams
    whose headers declare the same."""
    return b"<stream" + declarations + b">", b"</stream>"


ALONE = surroundings(b"")
"""Where every element declares its namespaces itself."""


def opened(tag: bytes) -> tuple[bytes, bytes]:
    """The surroundings that the stream's start tag gives its stanzas. Raises RemoteProtocolError."""
    element = _parsed(tag[:-1] + b"/>")
    if element.tag != named(STREAMS, "stream"):
        raise RemoteProtocolError(f"the stream begins with {element.tag[:80]}")
    return surroundings(b"".join(_DECLARED.findall(tag)))


def parsed(piece: bytes, around: tuple[bytes, bytes]) -> Element:
    """A whole element. Raises RemoteProtocolError."""
    before, behind = around
    return _parsed(b"".join((before, piece, behind)))[0]


def _parsed(text: bytes) -> Element:
    try:
        return ElementTree.fromstring(text, ElementTree.XMLParser(encoding="utf-8"))
    except (ElementTree.ParseError, ValueError) as error:
        raise RemoteProtocolError(f"not well-formed: {error}") from None


def condition(element: Element, namespace: str) -> str:
    """The name of the first child that says what went wrong; "undefined-condition" without one."""
    start = f"{{{namespace}}}"
    for child in element:
        if child.tag.startswith(start) and not child.tag.endswith("}text"):
            return child.tag[len(start) :]
    return "undefined-condition"


def said(element: Element, namespace: str) -> str:
    """The condition, and what is said about it in words."""
    words = element.findtext(named(namespace, "text"))
    what = condition(element, namespace).replace("-", " ")
    return f"{what}: {words[:200]}" if words else what
