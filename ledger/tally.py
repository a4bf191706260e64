"""What the parts of a roll call add up to."""

from collections import Counter, defaultdict
from typing import Any

import polars as pl

from ledger.evidence import message_witnesses, named_devices
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Witness
from ledger.roll_call import Outcome

CHARGES = {
    Outcome.LOST: "acknowledged, never delivered to {devices}",
    Outcome.ALTERED: "changed on its way to {devices}",
    Outcome.UNEXPECTED: "never sent, or not to {devices}, and yet shown there",
    Outcome.DUPLICATED: "shown more than once on {devices}",
    Outcome.UNDETERMINED: "never delivered to {devices}, and nothing proves that it should have been",
}
"""What a witness says of its message, worst first."""


class Tally:
    """Counts by outcome and fault, and of each bad outcome the messages that most devices missed."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.by_fault: dict[int, Counter[str]] = defaultdict(Counter)
        self.expected = 0
        self.unsettled = 0
        self.late_max_ns = 0
        self.worst: dict[Outcome, list[tuple[int, list[int]]]] = {outcome: [] for outcome in CHARGES}

    def add_cleared(self, ok_by_fault: dict[int, int]) -> None:
        """Adds pairs that are ok."""
        for fault, count in ok_by_fault.items():
            self.expected += count
            self.outcomes[Outcome.OK] += count
            if fault >= 0:
                self.by_fault[fault][Outcome.OK] += count

    def add(self, pairs: pl.DataFrame) -> None:
        """Adds a part of `roll_call`."""
        for fault, outcome, count in pairs.group_by("fault", "outcome").len().iter_rows():
            self.outcomes[outcome] += count
            if fault is not None and fault >= 0:
                self.by_fault[fault][outcome] += count
        outcome = pl.col("outcome")
        expected, unsettled, late_max_ns = pairs.select(
            pl.col("expected").sum(),
            ((outcome == Outcome.UNDETERMINED) & ~pl.col("settled")).sum(),
            pl.col("late_ns").filter(outcome == Outcome.LATE).max(),
        ).row(0)
        self.expected += expected
        self.unsettled += unsettled
        self.late_max_ns = max(self.late_max_ns, late_max_ns or 0)
        for charged, worst in self.worst.items():
            messages = pairs.filter(outcome == charged).group_by("message").agg("device")
            most = pl.col("device").list.len()
            worst += messages.sort(most, "message", descending=[True, False]).head(MOST_WITNESSES).iter_rows()
            worst.sort(key=lambda one: -len(one[1]))
            del worst[MOST_WITNESSES:]

    def figures(self, ledger: Ledger) -> dict[str, Any]:
        by_fault: dict[str, Counter[str]] = defaultdict(Counter)
        for index, outcomes in self.by_fault.items():
            by_fault[ledger.faults[index].name].update(outcomes)
        return {
            "expected": self.expected,
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "unsettled": self.unsettled,
            "late_max_ms": self.late_max_ns / 1e6,
            "by_fault": {
                name: {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}
                for name, counts in sorted(by_fault.items())
            },
        }

    def witnesses(self, ledger: Ledger) -> dict[Outcome, tuple[Witness, ...]]:
        """Of each bad outcome, worst first."""
        return {
            outcome: message_witnesses(
                ledger,
                [
                    (message, CHARGES[outcome].format(devices=named_devices(ledger, sorted(devices))))
                    for message, devices in worst
                ],
            )
            for outcome, worst in self.worst.items()
            if worst
        }
