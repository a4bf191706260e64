"""Message ids: 41 bits of milliseconds, 10 bits of node, 12 bits of counter."""

EPOCH_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z: 41 bits last until 2089."""

_NODE_BITS = 10
_COUNTER_BITS = 12
MAX_NODE_ID = (1 << _NODE_BITS) - 1
_MAX_COUNTER = (1 << _COUNTER_BITS) - 1


class Snowflakes:
    """Strictly increasing ids, also while the clock steps back; above `newest` of an earlier life (ORD.5)."""

    __slots__ = ("_counter", "_ms", "_node")

    def __init__(self, node_id: int, newest: int = 0) -> None:
        if not 0 <= node_id <= MAX_NODE_ID:
            raise ValueError(f"node id {node_id}: has to be between 0 and {MAX_NODE_ID}")
        self._node = node_id << _COUNTER_BITS
        self._ms = newest >> (_NODE_BITS + _COUNTER_BITS)
        self._counter = _MAX_COUNTER

    def mint(self, now_ms: int) -> int:
        """The next id; `now_ms` is Unix time. Past 4,096 in a millisecond it borrows from the future."""
        ms = now_ms - EPOCH_MS
        if ms > self._ms:
            self._ms, self._counter = ms, 0
        elif self._counter < _MAX_COUNTER:
            self._counter += 1
        else:
            self._ms, self._counter = self._ms + 1, 0
        return self._ms << (_NODE_BITS + _COUNTER_BITS) | self._node | self._counter
