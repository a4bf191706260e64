"""One connection to an IRC server, from the client's side: bytes in, events out; commands in, bytes out."""

from chatproof_irc.lines import Pieces, parse, parts
from drivers.contract import Ended, Identity, Outgoing, OutgoingPackage, Ponged, Question, Received
from drivers.events import Acked, CloseReason, Event, LoggedIn, Refused, Rejected
from protocol.errors import LocalProtocolError
from protocol.messages import Entry
from protocol.names import GROUP_PREFIX, conversation_between

_ENTERED, _BEAT = "entered", "beat"
_NICK_IN_USE, _NO_SUCH_NICK, _CANNOT_SEND = "433", ("401", "403"), ("404", "442")
_BAD_LOGIN = ("431", "432", "464", "465")


class IrcSession:
    __slots__ = ("_buffer", "_identity", "_out", "_pieces", "_to_of")

    def __init__(self) -> None:
        self._buffer = self._out = b""
        self._identity: Identity | None = None
        self._pieces = Pieces()
        self._to_of: dict[str, str] = {}

    def login(self, identity: Identity, version: int, heartbeat_s: int) -> None:
        self._identity = identity
        self._say(f"NICK {identity.user}")
        self._say(f"USER {identity.device} 0 * :chatproof")

    def submit(self, outgoing: Outgoing | OutgoingPackage, attempt: int) -> None:
        if isinstance(outgoing, OutgoingPackage):
            raise LocalProtocolError("IRC has no packages")
        self._to_of[outgoing.cid] = outgoing.to
        for text in parts(outgoing):
            self._say(f"PRIVMSG {_name(outgoing.to)} :{text}")
        self._say(f"PING :{outgoing.cid}")

    def ping(self, heartbeat_s: int | None = None) -> None:
        self._say(f"PING :{_BEAT}")

    def bye(self) -> None:
        self._say("QUIT")

    def acknowledge(self, version: int) -> None:
        raise LocalProtocolError("IRC has no inbox")

    def pull(self, after: int, limit: int) -> None:
        raise LocalProtocolError("IRC has no inbox")

    def ask(self, question: Question) -> None:
        raise LocalProtocolError(f"IRC has no words for {type(question).__name__}")

    def take(self) -> bytes:
        out, self._out = self._out, b""
        return out

    def receive(self, data: bytes) -> list[Event]:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        happened: list[Event] = []
        for line in lines:
            self._read(*parse(line.rstrip(b"\r")), happened)
        return happened

    def _read(self, source: str, command: str, words: list[str], happened: list[Event]) -> None:
        last = words[-1] if words else ""
        if command == "PING":
            self._say(f"PONG :{last}")
        elif command == "PONG":
            self._ponged(last, happened)
        elif command == "PRIVMSG" and len(words) == 2:
            self._received(source, words[0], last, happened)
        elif command == "001":
            # Whoever is in the channels when this PING is answered misses nothing from now on.
            for room in self._me.rooms:
                self._say(f"JOIN {_name(room)}")
            self._say(f"PING :{_ENTERED}")
        elif command in (*_NO_SUCH_NICK, *_CANNOT_SEND) and len(words) > 1:
            self._refused(int(command), words[1], last, happened)
        elif command in _BAD_LOGIN:
            happened.append(Refused(int(command), last))
        elif command in (_NICK_IN_USE, "ERROR"):
            # The server may not have noticed yet that the connection before is gone.
            happened.append(Ended(CloseReason.ERROR, last, retry_after_s=0.5))

    def _ponged(self, token: str, happened: list[Event]) -> None:
        if token == _BEAT:
            happened.append(Ponged(None, None))
        elif token == _ENTERED:
            happened.append(LoggedIn(self._me.user, 0, 0, 0.0, (), ""))
        elif token in self._to_of:
            conversation = self._conversation(self._me.user, self._to_of.pop(token))
            happened.append(Acked(token, None, conversation, None, None, None, 0))

    def _received(self, sender: str, to: str, text: str, happened: list[Event]) -> None:
        try:
            whole = self._pieces.add(sender, text)
        except ValueError:
            return  # somebody else's words, not those of a client of ours
        if whole is not None:
            cid, kind, sent_at_ms, body = whole
            to = GROUP_PREFIX + to[1:] if to.startswith("#") else to
            conversation = self._conversation(sender, to)
            entry = Entry(0, 0, conversation, 0, sender, kind, body, sent_at_ms)
            happened.append(Received(entry, f"{sender}/{cid}"))

    def _refused(self, code: int, name: str, text: str, happened: list[Event]) -> None:
        for cid in [cid for cid, to in self._to_of.items() if _name(to) == name]:
            del self._to_of[cid]
            happened.append(Rejected(cid, code, text))

    @property
    def _me(self) -> Identity:
        assert self._identity is not None
        return self._identity

    def _conversation(self, sender: str, to: str) -> str:
        return to if to.startswith(GROUP_PREFIX) else conversation_between(sender, to)

    def _say(self, line: str) -> None:
        self._out += f"{line}\r\n".encode()


def _name(to: str) -> str:
    """Nickname or channel."""
    return "#" + to.removeprefix(GROUP_PREFIX) if to.startswith(GROUP_PREFIX) else to
