"""XMPP, as `xmpp://DOMAIN@HOST:PORT`, `xmpps://`, `xmpp+starttls://` or `xmpp+ws://` (docs/xmpp.md)."""

from dataclasses import replace
from functools import partial
from urllib.parse import SplitResult

from drivers.contract import Dialect, InWebSocket, Messages
from drivers.dialects.xmpp.cut import split
from drivers.dialects.xmpp.session import XmppSession
from drivers.dialects.xmpp.target import OPTIONS, Target, target_of


def _for_target(url: SplitResult) -> Dialect:
    """Raises ValueError like `target_of`."""
    target = target_of(url)
    framed = replace(target, is_framed=True)
    return replace(
        DIALECT,
        new_session=partial(XmppSession, target),
        websocket=replace(_IN_WEBSOCKET, new_session=partial(XmppSession, framed)),
    )


_NOWHERE = Target("localhost", "conference.localhost")
_IN_WEBSOCKET = InWebSocket(
    path="/xmpp-websocket",
    subprotocol="xmpp",
    messages=Messages.TEXT,
    split=split,
    new_session=partial(XmppSession, replace(_NOWHERE, is_framed=True)),
)
DIALECT = Dialect(
    name="xmpp",
    new_session=partial(XmppSession, _NOWHERE),
    offers=frozenset({"multi_device", "offline"}),
    default_port=5222,
    ports={"tls": 5223, "ws": 5280, "wss": 5281},
    schemes={"xmpps": "tls"},
    options=OPTIONS,
    configured=_for_target,
    framing="xmpp",
    websocket=_IN_WEBSOCKET,
    enters_rooms=True,
    retransmits=False,
    resumes=True,
)
