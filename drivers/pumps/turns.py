"""Whose turn it is to connect: so many handshakes at a time, so many begun a second."""

from collections import deque

from drivers.client import Client, State

_SAVED_S = 0.2
"""How much of the rate may be saved up, so that a late tick does not lower it."""


class Turns:
    """A queue of clients whose `state` is CONNECTING, and those whose handshake is under way.

    `max_handshakes`: connections being made or logging in at a time. `connect_rate`: connections begun a
    second, None for no limit. `under_way`: those that have had their turn and are not done.
    """

    __slots__ = ("_allowance", "_earned_at", "_max_handshakes", "_queue", "_rate", "under_way")

    def __init__(self, max_handshakes: int, connect_rate: float | None, now: float) -> None:
        self._max_handshakes = max_handshakes
        self._rate = connect_rate
        self._allowance = 1.0
        self._earned_at = now
        self._queue: deque[Client] = deque()
        self.under_way: set[Client] = set()

    def queue(self, client: Client) -> None:
        """It waits for its turn; `link` says so, and stays so until the turn comes or is found needless."""
        client.link = QUEUED
        self._queue.append(client)

    def next(self, now: float) -> Client | None:
        """The client to be dialled now, its handshake counted as under way; None when nobody may be."""
        self._earn(now)
        while self._queue and len(self.under_way) < self._max_handshakes and self._allowance >= 1.0:
            client = self._queue.popleft()
            client.link = -1
            if client.state is State.CONNECTING:  # it may have left meanwhile
                self.under_way.add(client)
                if self._rate is not None:
                    self._allowance -= 1.0
                return client
        return None

    def done(self, client: Client) -> None:
        """Its handshake is over, one way or the other."""
        self.under_way.discard(client)

    def clear(self) -> None:
        """Nobody waits any more."""
        for client in self._queue:
            client.link = -1
        self._queue.clear()
        self.under_way.clear()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._queue)

    def _earn(self, now: float) -> None:
        if self._rate is not None:
            earned = self._allowance + (now - self._earned_at) * self._rate
            self._allowance = min(earned, max(1.0, self._rate * _SAVED_S))
            self._earned_at = now


QUEUED = -2
"""`Client.link` of a client that waits for its turn."""
