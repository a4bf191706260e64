"""A message of the harness as a <message/>, and back.

Whoever reads XMPP sees a readable <body>. Beside it stands an element of ours with what XMPP has no word for:
device, kind and time, and the bytes themselves (base64) where they are no text that XML can carry.
"""

from base64 import b64decode, b64encode
from typing import NamedTuple
from xml.etree.ElementTree import Element

from drivers.contract import Identity, Outgoing
from drivers.dialects.xmpp import addresses
from drivers.dialects.xmpp.elements import CLIENT, RECEIPTS, STANZA_IDS, escaped, is_text, named
from drivers.dialects.xmpp.target import Target
from protocol.messages import Entry
from protocol.names import conversation_between, is_group

OURS = "urn:chatproof:message:1"
_BODY = named(CLIENT, "body")
_LETTER = named(OURS, "letter")
_STANZA_ID = named(STANZA_IDS, "stanza-id")
_ORIGIN_ID = named(STANZA_IDS, "origin-id")
_REQUEST = named(RECEIPTS, "request")
_TEXT = "text"


class Message(NamedTuple):
    """A message read. `device`: of the sender, "" if nobody says. `key`: see `contract.Received`; "" if it
    cannot be told from others. `archived_as`: its id in the archive of `archive` ("" for that of the user).
    """

    entry: Entry
    id: str
    device: str
    key: str
    archived_as: str
    archive: str
    wants_receipt: bool


def recipient(to: str, target: Target) -> str:
    """The address of a user or a group."""
    if is_group(to):
        return addresses.room_address(to, target.rooms)
    return addresses.user_address(to, target.domain)


def conversation(user: str, to: str) -> str:
    """What a conversation with `to` is called."""
    return to if is_group(to) else conversation_between(user, to)


def written(outgoing: Outgoing, identity: Identity, target: Target) -> bytes:
    """The stanza that carries it."""
    cid, to = escaped(outgoing.cid), escaped(recipient(outgoing.to, target))
    is_room = is_group(outgoing.to)
    text = _as_text(outgoing.body)
    readable = f"{outgoing.kind} of {len(outgoing.body)} bytes" if text is None else text
    content = b64encode(outgoing.body).decode() if text is None else ""
    return (
        f"<message{target.namespace} to='{to}' type='{'groupchat' if is_room else 'chat'}' id='{cid}'>"
        f"<body>{escaped(readable)}</body>"
        f"<letter xmlns='{OURS}' device='{escaped(identity.device)}' kind='{escaped(outgoing.kind)}' "
        f"at='{outgoing.sent_at_ms}'{' coded=' + repr('base64') if text is None else ''}>{content}</letter>"
        f"<origin-id xmlns='{STANZA_IDS}' id='{cid}'/>"
        f"{_WITH_REQUEST if target.receipts and not is_room else ''}"
        "</message>"
    ).encode()


_WITH_REQUEST = f"<request xmlns='{RECEIPTS}'/>"


def receipt(target: Target, to: str, message_id: str) -> bytes:
    """The answer to a message that asks for one (XEP-0184)."""
    return (
        f"<message{target.namespace} to='{escaped(to)}' type='chat'>"
        f"<received xmlns='{RECEIPTS}' id='{escaped(message_id)}'/></message>"
    ).encode()


def read(stanza: Element, identity: Identity, target: Target) -> Message | None:
    """What the application is to see of a <message/>; None for what is nothing to be shown: a receipt,
    a notice of typing, a subject."""
    body, letter = stanza.findtext(_BODY), stanza.find(_LETTER)
    if body is None and letter is None:
        return None
    sender = stanza.get("from") or addresses.user_address(identity.user, target.domain)
    is_room = stanza.get("type") == "groupchat"
    device = addresses.resource(sender)
    if is_room:
        group = addresses.group_of(sender)
        user, _, device = device.partition("/")
        place, archive = group, addresses.bare(sender)
    else:
        user = addresses.user_of(sender, target.domain)
        to = stanza.get("to", "")
        other = addresses.user_of(to, target.domain) if to and user == identity.user else user
        place = conversation_between(
            identity.user, identity.user if user == identity.user and not to else other
        )
        archive = addresses.user_address(identity.user, target.domain)
    kind, content, at_ms = _TEXT, (body or "").encode(), 0
    if letter is not None:
        device = letter.get("device", device)
        kind = letter.get("kind", _TEXT)
        at_ms = _number(letter.get("at", ""))
        if letter.get("coded") == "base64":
            content = _decoded(letter.text or "")
    message_id = _id_of(stanza)
    archived_as = _archived_as(stanza, archive)
    key = f"{user}/{device}/{place}/{message_id}" if message_id else archived_as
    return Message(
        Entry(0, 0, place, 0, user, kind, content, at_ms),
        message_id,
        device,
        key,
        archived_as,
        archive if is_room else "",
        stanza.find(_REQUEST) is not None,
    )


def _id_of(stanza: Element) -> str:
    origin = stanza.find(_ORIGIN_ID)
    return (None if origin is None else origin.get("id")) or stanza.get("id") or ""


def _archived_as(stanza: Element, archive: str) -> str:
    """The id under which the archive named has it (XEP-0359)."""
    for each in stanza.iterfind(_STANZA_ID):
        if each.get("by") == archive:
            return each.get("id", "")
    return ""


def _as_text(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if is_text(text) else None


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return text.encode()  # altered on its way: whoever knows what was sent will see it


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else 0


_MOST_DIGITS = 16
