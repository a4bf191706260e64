"""Messages of one device between PUBLISH and the last answer to it (4.3), and what of them outlives a
connection.

Packet identifiers belong to the session that the broker keeps, not to the connection: what is repeated after
a login keeps its own (4.4), or a message of QoS 2 would be two.
"""

from collections import deque
from typing import NamedTuple
from zlib import crc32

from drivers.contract import Outgoing
from drivers.dialects.mqtt.fields import MOST_VARIABLE
from protocol.errors import LocalProtocolError

_IDENTIFIERS = 65_534
"""One is left for the SUBSCRIBE of a login."""

Carried = dict[str, tuple[int, bool]]
"""Packet identifier, and whether it is released, by cid."""


class Limits(NamedTuple):
    """What the broker said of itself."""

    receive_maximum: int = 65_535
    qos: int = 2
    packet_bytes: int = MOST_VARIABLE


class Flight:
    """`is_released`: PUBREC has come, so that only PUBREL may follow."""

    __slots__ = ("is_released", "outgoing")

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self.is_released = False


class Flights:
    """What is beyond `limits.receive_maximum` waits, in order. `carried`: what the session before left."""

    __slots__ = ("_by_number", "_carried", "_last", "_waiting", "limits")

    def __init__(self, limits: Limits, carried: Carried) -> None:
        self.limits = limits
        self._by_number: dict[int, Flight] = {}
        self._carried = carried
        self._last = 0
        self._waiting: deque[Outgoing] = deque()

    def begin(self, outgoing: Outgoing) -> tuple[int, Flight, bool] | None:
        """The packet identifier, the flight, and whether the broker may know it; None if it has to wait."""
        number, is_released = self._carried.pop(outgoing.cid, (0, False))
        is_known = number > 0
        if not is_known:
            if len(self._by_number) >= self.limits.receive_maximum:
                self._waiting.append(outgoing)
                return None
            number = self._free(outgoing.cid)
        flight = self._by_number[number] = Flight(outgoing)
        flight.is_released = is_released
        return number, flight, is_known

    def get(self, number: int) -> Flight | None:
        return self._by_number.get(number)

    def end(self, number: int) -> None:
        """It was answered for good, or did not go out after all."""
        del self._by_number[number]

    def next(self) -> Outgoing | None:
        """One that has waited and need not any more."""
        is_free = len(self._by_number) < self.limits.receive_maximum
        return self._waiting.popleft() if self._waiting and is_free else None

    def remains(self) -> Carried:
        """Identifier and phase by cid, of all whose PUBLISH is out."""
        flying = {
            flight.outgoing.cid: (number, flight.is_released) for number, flight in self._by_number.items()
        }
        return {**self._carried, **flying}

    @property
    def is_over(self) -> bool:
        return not (self._by_number or self._waiting or self._carried)

    def _free(self, cid: str) -> int:
        if not self._last:
            # Not always the first: a late second answer to what is over must not be one to what follows.
            self._last = crc32(cid.encode()) % _IDENTIFIERS
        taken = {number for number, _ in self._carried.values()}
        for _ in range(_IDENTIFIERS):
            self._last = self._last % _IDENTIFIERS + 1
            if self._last not in self._by_number and self._last not in taken:
                return self._last
        raise LocalProtocolError("every packet identifier is under way")
