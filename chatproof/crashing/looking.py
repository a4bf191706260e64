"""What the server says of a user after a restart, asked by a device that has just come."""

from dataclasses import dataclass

from drivers.contract import Identity
from drivers.endpoints import Endpoint
from drivers.pumps.blocking import Device
from protocol.messages import Contact, Entry

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class State:
    """`tail`: the inbox after version `after`, as pulled; `newest` is the version that the login told.
    `counts` by conversation; `histories`: of each conversation of the tail its newest entries, oldest first.
    """

    user: str
    after: int
    newest: int
    tail: list[Entry]
    contacts: list[Contact]
    total: int
    counts: dict[str, int]
    histories: dict[str, list[Entry]]


def look(endpoints: tuple[Endpoint, ...], identity: Identity, after: int) -> State:
    """The state of a user whose inbox is known up to `after`. Raises Expected for what does not come."""
    with Device(endpoints, identity, version=after) as device:
        newest = device.log_in().version
        device.await_version(newest)
        tail = device.timeline()
        unread = device.unread()
        return State(
            identity.user,
            after,
            newest,
            tail,
            list(device.contacts(limit=_PAGE).contacts),
            unread.total,
            {count.conversation: count.unread for count in unread.counts},
            {name: _newest_of(device, name) for name in sorted({entry.conversation for entry in tail})},
        )


def _newest_of(device: Device, conversation: str) -> list[Entry]:
    return list(device.history(conversation, limit=_PAGE).entries)[::-1]
