"""Who is connected to this node: per user the newest version known here and the user's connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from refserver.access.connection import Connection


class Presence(msgspec.Struct, gc=False, eq=False):
    """One user on this node. Nearly everybody has one device: a list exists only for several."""

    user: str
    newest: int = 0
    connections: Connection | list[Connection] | None = None

    def devices(self) -> list[Connection]:
        """The connections, in order of login; a list of the caller's own."""
        held = self.connections
        if held is None:
            return []
        return list(held) if isinstance(held, list) else [held]


class Users:
    """The users with at least one connection here."""

    __slots__ = ("_by_name",)

    def __init__(self) -> None:
        self._by_name: dict[str, Presence] = {}

    def get(self, user: str) -> Presence | None:
        """None for a user without a connection here."""
        return self._by_name.get(user)

    def join(self, user: str, connection: Connection) -> Presence:
        """`connection` belongs to `user` from now on."""
        presence = self._by_name.get(user)
        if presence is None:
            presence = self._by_name[user] = Presence(user)
        held = presence.connections
        if held is None:
            presence.connections = connection
        elif isinstance(held, list):
            held.append(connection)
        else:
            presence.connections = [held, connection]
        return presence

    def leave(self, presence: Presence, connection: Connection) -> None:
        """`connection` is forgotten, and its user with the last one."""
        rest = [each for each in presence.devices() if each is not connection]
        if not rest:
            presence.connections = None
            self._by_name.pop(presence.user, None)
        else:
            presence.connections = rest if len(rest) > 1 else rest[0]

    def __len__(self) -> int:
        return len(self._by_name)
