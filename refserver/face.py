"""The narrow face between access and business: two sides that only send each other notes.

Every call returns at once and answers later through a call on the other side, so that both can live in one
process (plain calls) or apart (the same notes over a socket) without either knowing. Calls from one side
arrive in the order in which they were made. `connection` is a number of the node's own, never used twice.
"""

from typing import Protocol

from protocol.messages import Entry, Message, Send, SendPackage


class Node(Protocol):
    """An access node as business sees it: holds connections, knows nothing of what messages mean."""

    name: str

    def attached(self, connection: int, newest: int) -> None:
        """Answers `Service.attach`: the user's newest committed inbox version. Later pushes follow it."""

    def reply(self, connection: int, message: Message) -> None:
        """Answers `Service.request`; a connection that is gone meanwhile is not an error."""

    def push(self, user: str, entry: Entry, except_connection: int | None = None) -> None:
        """A committed inbox entry, for all devices of `user` on this node but one, in version order.

        The one is the connection that sent the message, if this node holds it: its SENT carries the
        version, so the entry itself would only be an echo. For PONG the version counts all the same.
        """

    def tell(self, user: str, message: Message, except_connection: int | None) -> None:
        """A message for all devices of `user` on this node but one (a read on another device, UNR.4)."""

    def replaced(self, user: str, device: str, except_connection: int | None) -> None:
        """The device logged in anew: an older connection of it here gets GO_AWAY(replaced) (ROM.5)."""


class Service(Protocol):
    """Business as an access node sees it: decides everything about messages, knows nothing of sockets."""

    def attach(self, node: Node, connection: int, user: str, device: str) -> None:
        """A verified login. Registers `node` for the user's pushes, replaces older logins of the device
        (everywhere but `connection`), and answers `attached` with the version from which pushes follow."""

    def detach(self, node: Node, user: str) -> None:
        """Ends one `attach` or `watch` of `user` on `node`."""

    def watch(self, node: Node, user: str) -> None:
        """Registers `node` for the user's pushes without a device (long poll)."""

    def request(self, node: Node, connection: int, user: str, device: str, message: Message) -> None:
        """SEND, SEND_PACKAGE, PULL, READ, UNREAD, CONTACTS or HISTORY of a logged-in user; one `reply`."""


def body_bytes(message: Message) -> int:
    """What `message` asks to be stored, and so to be kept until it is."""
    if isinstance(message, Send):
        return len(message.body)
    return sum(len(item.body) for item in message.items) if isinstance(message, SendPackage) else 0
