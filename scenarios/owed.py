"""Which deliveries are still to come, as counts by second: nothing is kept of a message."""

from collections import Counter

PATIENCE_S = 30
"""What is owed for longer is called overdue. It may come all the same, by a pull: only settling says."""
_SECOND_NS = 10**9


class Owed:
    """`expected`: deliveries that acknowledged messages have promised since the run began."""

    def __init__(self) -> None:
        self._by_second: Counter[int] = Counter()
        self.expected = 0

    def promise(self, planned_ns: int, count: int) -> None:
        """A message that was to be sent then is acknowledged: `count` devices have to be shown it."""
        self.expected += count
        self._by_second[planned_ns // _SECOND_NS] += count

    def keep(self, planned_ns: int) -> None:
        """One device was shown such a message, maybe before the acknowledgement came."""
        self._by_second[planned_ns // _SECOND_NS] -= 1

    def count(self, now_ns: int) -> tuple[int, int]:
        """Deliveries still to come, and how many of them are overdue."""
        for second in [second for second, count in self._by_second.items() if not count]:
            del self._by_second[second]
        patient_since = now_ns // _SECOND_NS - PATIENCE_S
        overdue = sum(count for second, count in self._by_second.items() if second < patient_since)
        return max(0, self._by_second.total()), max(0, overdue)
