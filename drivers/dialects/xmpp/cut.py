"""Where the pieces of an XML stream begin and end (RFC 6120, section 4): tags are counted, not understood.

A parser for each connection would weigh more than the rest of it. So a stanza is cut out as soon as it is
whole and read by a parser that lives as long (`elements.py`); between stanzas nothing is held at all. What
XMPP forbids of XML (section 11.1: comments, processing instructions, document types, and with these all
entities but the five) never gets as far as a parser.
"""

import enum
import re

from protocol.errors import RemoteProtocolError

MAX_STANZA_BYTES = 1 << 20
MAX_TAG_BYTES = 16 << 10
MAX_DEPTH = 64

_TAG = re.compile(rb"""</?[^<>"'/]++(?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+>""")
_BLANK = re.compile(rb"[ \t\r\n]*+")
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"
_DECLARATION, _DECLARATION_END = b"<?xml ", b"?>"


class Kind(enum.Enum):
    """What a piece is: the start tag of the stream, its end tag, or a whole element within it."""

    OPEN = enum.auto()
    ELEMENT = enum.auto()
    CLOSE = enum.auto()


Piece = tuple[Kind, bytes]


class Cutter:
    """Holds what is not whole yet; to be dropped while `is_empty`. `in_stream`: its start tag has come
    before; where every element stands alone (RFC 7395) that is so from the beginning.
    """

    __slots__ = ("_at", "_depth", "_held", "_in_cdata", "_in_stream", "_start")

    def __init__(self, *, in_stream: bool) -> None:
        self._held = bytearray()
        self._in_stream = in_stream
        self._start = 0
        self._at = 0
        self._depth = 0
        self._in_cdata = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held, so that another one could go on from here."""
        return not self._held

    def restart(self) -> None:
        """A new stream begins, on the same connection."""
        self._in_stream = False

    def feed(self, data: bytes) -> None:
        """More bytes of the stream."""
        self._held += data

    def next_piece(self) -> Piece | None:
        """The next whole piece; None when more bytes are needed. Raises RemoteProtocolError."""
        held = self._held
        while True:
            if not self._depth:
                self._skip_blank()
            if self._in_cdata:
                if not self._through_cdata():
                    break
                continue
            found = held.find(b"<", self._at)
            if not self._depth and found > self._at:
                raise RemoteProtocolError("text between two stanzas")
            if found < 0:
                if not self._depth and self._at < len(held):
                    raise RemoteProtocolError("text between two stanzas")
                self._at = len(held)
                break
            self._at = found
            if not self._depth:
                self._start = found
            mark = bytes(held[found + 1 : found + 2])
            if mark in (b"!", b"?"):
                if not self._special(mark):
                    break
                continue
            tag = _TAG.match(held, found)
            if tag is None:
                if len(held) - found > MAX_TAG_BYTES:
                    raise RemoteProtocolError(f"a tag of more than {MAX_TAG_BYTES} bytes, or none at all")
                if held.find(b"<", found + 1) >= 0:
                    raise RemoteProtocolError("a '<' within a tag")
                break
            piece = self._tag(tag)
            if piece is not None:
                return piece
        if len(held) - self._start > MAX_STANZA_BYTES:
            raise RemoteProtocolError(f"a stanza of more than {MAX_STANZA_BYTES} bytes")
        return None

    def _skip_blank(self) -> None:
        blank = _BLANK.match(self._held, self._at)
        if blank is not None and blank.end():
            del self._held[: blank.end()]
            self._start = self._at = 0

    def _tag(self, tag: re.Match[bytes]) -> Piece | None:
        """What the tag completes, if anything."""
        held, self._at = self._held, tag.end()
        if held[tag.start() + 1] == _SLASH:
            if not self._depth:
                if not self._in_stream:
                    raise RemoteProtocolError("an end tag before anything was begun")
                return self._cut(Kind.CLOSE)
            self._depth -= 1
            return None if self._depth else self._cut(Kind.ELEMENT)
        if held[tag.end() - 2] == _SLASH:
            if not self._in_stream:
                raise RemoteProtocolError("the stream has no start tag")
            return None if self._depth else self._cut(Kind.ELEMENT)
        if not self._in_stream:
            self._in_stream = True
            return self._cut(Kind.OPEN)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RemoteProtocolError(f"elements within elements, more than {MAX_DEPTH} deep")
        return None

    def _cut(self, kind: Kind) -> Piece:
        piece = bytes(self._held[self._start : self._at])
        if len(piece) > MAX_STANZA_BYTES:
            raise RemoteProtocolError(f"a stanza of more than {MAX_STANZA_BYTES} bytes")
        del self._held[: self._at]
        self._start = self._at = 0
        return kind, piece

    def _special(self, mark: bytes) -> bool:
        """Past what begins with `<!` or `<?`; False when more bytes are needed."""
        held, at = self._held, self._at
        if mark == b"?" and not self._in_stream:
            if not _DECLARATION.startswith(held[at : at + len(_DECLARATION)]):
                raise RemoteProtocolError("a processing instruction, which XMPP forbids")
            end = held.find(_DECLARATION_END, at)
            if end < 0:
                if len(held) - at > MAX_TAG_BYTES:
                    raise RemoteProtocolError("an XML declaration without end")
                return False
            del held[: end + len(_DECLARATION_END)]
            self._start = self._at = 0
            return True
        if mark == b"?" or not self._depth or not _CDATA.startswith(held[at : at + len(_CDATA)]):
            raise RemoteProtocolError(
                "a comment, processing instruction or document type, which XMPP forbids"
            )
        if len(held) - at < len(_CDATA):
            return False
        self._in_cdata = True
        self._at = at + len(_CDATA)
        return True

    def _through_cdata(self) -> bool:
        end = self._held.find(_CDATA_END, self._at)
        if end < 0:
            self._at = max(self._at, len(self._held) - len(_CDATA_END) + 1)
            return False
        self._in_cdata = False
        self._at = end + len(_CDATA_END)
        return True


_SLASH = ord("/")


def split(stanzas: bytes) -> list[bytes]:
    """Whole elements, each by itself."""
    cutter = Cutter(in_stream=True)
    cutter.feed(stanzas)
    pieces = []
    while (piece := cutter.next_piece()) is not None:
        pieces.append(piece[1])
    return pieces
