"""XMPP stanzas (RFC 6120, section 4): whole elements within a stream, whose own tags are frames as well.

Tags are counted, not understood. White space between stanzas, which keeps a connection alive, is a frame
a byte.
"""

import re

from chaos.framers import Framer, NotFramed, framer

MAX_STANZA_BYTES = 2**20
_MAX_TAG_BYTES = 16 * 1024

_STREAM = re.compile(rb"<(?:\?xml\b|(?:[^\s<>/:]+:)?stream[\s>])")
_TOKEN = re.compile(
    rb"""[^<]*+(?:(?P<cdata><!\[CDATA\[(?:[^\]]|\](?!\]>))*+\]\]>)"""
    rb"""|(?P<declaration><\?(?:[^?]|\?(?!>))*+\?>)"""
    rb"""|(?P<tag><(?P<end>/)?+[^<>"'/!?]++(?:[^<>"'/]|/(?!>)|"[^"<]*+"|'[^'<]*+')*+(?P<alone>/)?+>))"""
)
_BLANK = b" \t\r\n"
_NAME = re.compile(rb"</?(?:[^\s<>/:]+:)?([^\s<>/:]+)")
_DECLARED = re.compile(rb"<\?[^<]*+")
_KINDS = (
    "stream", "end", "blank", "features", "error", "starttls", "proceed", "auth", "challenge", "response",
    "success", "failure", "message", "iq", "presence", "enable", "enabled", "resume", "resumed", "failed",
    "r", "a", "open", "close",
)  # fmt: skip


@framer
class Xmpp(Framer):
    """Kinds are the names of elements: message, iq, presence, r, a, auth…; "stream" and "end" are the tags
    around them all, "blank" is white space between two."""

    name = "xmpp"
    kinds = frozenset(_KINDS)
    first_bytes = b"<"
    head_bytes = MAX_STANZA_BYTES

    def length(self, data: bytes | bytearray, at: int) -> int | None:
        if at < len(data) and data[at] != _LESS:
            if data[at] in _BLANK:
                return 1
            raise NotFramed(f"0x{data[at]:02x} begins no stanza")
        depth, place = 0, at
        is_stream = _STREAM.match(data, at) is not None
        while (token := _TOKEN.match(data, place)) is not None:
            place = token.end()
            if token["tag"] is not None:
                depth += -1 if token["end"] else 0 if token["alone"] else 1
                if depth <= 0 or is_stream:
                    return place - at
        if len(data) - at > MAX_STANZA_BYTES or self._is_hopeless(data, place):
            raise NotFramed("no end of a stanza")
        return None

    def _is_hopeless(self, data: bytes | bytearray, at: int) -> bool:
        """Whether what follows can never become a tag."""
        start = data.find(b"<", at)
        if start < 0 or data.startswith((b"<!", b"<?"), start):
            return False
        return len(data) - start > _MAX_TAG_BYTES or data.find(b"<", start + 1) > 0

    def kind(self, message: bytes) -> str:
        if message[:1].isspace():
            return "blank"
        if message.startswith(b"</"):
            return "end"
        name = _NAME.match(message, 0 if message[1:2] != b"?" else _after_declaration(message))
        return "stream" if name is None else name[1].decode("utf-8", "replace").lower()

    def body_at(self, message: bytes) -> int:
        start = message.find(b">") + 1
        return start if start and not message.startswith(b"/>", start - 2) else len(message)

    def spoil(self, message: bytes, draw: float) -> bytes:
        # Text between stanzas is forbidden (section 4.9.3.2), and end tags without a start tag anyhow.
        return b"?" + message[1:]


def _after_declaration(message: bytes) -> int:
    declared = _DECLARED.match(message)
    return 0 if declared is None else declared.end()


_LESS = ord("<")
