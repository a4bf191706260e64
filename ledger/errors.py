"""Everything that `ledger` raises on purpose.

LedgerError                a run folder or ledger that cannot be written or read
└── ThresholdError         an expression such as `latency_ms.deliver.p99 < 500` that means nothing

Messages are one line: what was wrong, where, what to do.
"""


class LedgerError(Exception):
    """A run folder or ledger that cannot be written or read."""


class ThresholdError(LedgerError):
    """A threshold that cannot be parsed, or that names a figure which is not in the summary."""
