"""Lines of IRC (RFC 2812), and messages of any length and content within them."""

from base64 import b64decode, b64encode
from collections.abc import Iterator

import msgspec

from drivers.contract import Outgoing

PART_CHARS = 300
"""A line is 512 bytes with what the server puts before it."""


def parse(line: bytes) -> tuple[str, str, list[str]]:
    """Nickname (or server) that it is from, command and parameters."""
    text, source = line.decode("utf-8", "replace"), ""
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
    middle, colon, last = text.partition(" :")
    command, *words = middle.split() or [""]
    return source.partition("!")[0], command, words + [last] * bool(colon)


def parts(outgoing: Outgoing) -> Iterator[str]:
    """The text of each line: client message id, number, whether more follow, and a piece."""
    whole = msgspec.msgpack.encode((outgoing.kind, outgoing.sent_at_ms, outgoing.body))
    text = b64encode(whole).decode()
    for number, at in enumerate(range(0, len(text), PART_CHARS)):
        end = at + PART_CHARS
        yield f"{outgoing.cid} {number} {'+' if end < len(text) else '.'} {text[at:end]}"


class Pieces:
    """Of messages that have begun and not ended, by sender and client message id."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str], str] = {}

    def add(self, sender: str, text: str) -> tuple[str, str, int, bytes] | None:
        """Client message id, kind, time and body once the last piece is there. Raises ValueError for a text
        that nobody of ours has sent."""
        cid, number, more, piece = text.split(" ")
        whole = ("" if number == "0" else self._begun.pop((sender, cid), "")) + piece
        if more == "+":
            self._begun[sender, cid] = whole
            return None
        kind, sent_at_ms, body = msgspec.msgpack.decode(b64decode(whole), type=tuple[str, int, bytes])
        return cid, kind, sent_at_ms, body
