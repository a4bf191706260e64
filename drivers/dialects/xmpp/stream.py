"""What a session remembers between two pieces of its stream, and how it says something.

Its concerns (`entering`, `reading`) are mixins without slots over this, so that a session stays one object.
"""

from drivers.contract import Identity
from drivers.dialects.xmpp import addresses, elements
from drivers.dialects.xmpp.archive import Archive
from drivers.dialects.xmpp.coming import Coming
from drivers.dialects.xmpp.cut import Cutter
from drivers.dialects.xmpp.login import Login
from drivers.dialects.xmpp.management import Management, Unacknowledged
from drivers.dialects.xmpp.target import Target
from drivers.events import Acked, Event

NOBODY = Identity("", "", "")


class Stream:
    """New → (login) → coming in (`_login`, then `_coming`) → in → over.

    Idle it is this and its counts; what is None exists only while it holds something.
    """

    __slots__ = (
        "_archives", "_around", "_coming", "_counts", "_cutter", "_identity", "_is_over", "_login", "_out",
        "_owes_ping", "_target",
    )  # fmt: skip

    def __init__(self, target: Target) -> None:
        self._target = target
        self._identity = NOBODY
        self._cutter: Cutter | None = None
        self._around: tuple[bytes, bytes] | None = elements.ALONE if target.is_framed else None
        self._login: Login | None = None
        self._coming: Coming | None = None
        self._counts: Management | None = None
        self._archives: dict[str, Archive] | None = None
        self._out = b""
        self._owes_ping = False
        self._is_over = False

    @property
    def _own_address(self) -> str:
        return addresses.user_address(self._identity.user, self._target.domain)

    def _say(self, stanza: bytes, cid: str = "", conversation: str = "") -> None:
        """Queue a stanza; `cid`, if it is a send that is to be acknowledged."""
        self._out += stanza
        if self._counts is not None:
            self._counts.said(cid, conversation)

    def _end(self, happened: list[Event], *said: Event) -> None:
        happened.extend(said)
        self._is_over = True

    def _read_archive(self, place: str, *, is_resumed: bool = False) -> None:
        """From where it was read to; of one that was never read only where it ends, so that nothing that was
        said before the first login is taken for news."""
        archive = (self._archives or {}).get(place)
        if archive is not None:
            if not archive.is_known and self._coming is not None:
                self._coming.begins(archive.query_id)
            self._say(archive.begin(self._target, holds=not is_resumed))


def acked(send: Unacknowledged) -> Event:
    """The server answers for a send from now on."""
    return Acked(send.cid, None, send.conversation, None, None, None, 0)
