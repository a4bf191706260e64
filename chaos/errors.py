"""Everything this room raises on purpose, each with a text of one line.

ChaosError
├── ToxiproxyError      the control API could not be reached, or answered something unexpected
├── PacketsError        this machine cannot give a network of our own, or something in it went wrong
├── FaultSyntaxError    a fault was written in a way that cannot be understood
└── FaultsFailed        faults of a schedule could not be applied or healed
"""


class ChaosError(Exception):
    """Base of the tree above."""


class ToxiproxyError(ChaosError):
    """`status` is the HTTP status of the answer, None when there was none."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class PacketsError(ChaosError):
    """Says which privilege, program, library or kernel feature is missing, where it is one of these."""


class FaultSyntaxError(ChaosError, ValueError):
    """Names what is wrong and lists what exists."""


class FaultsFailed(ChaosError):
    """Raised once, after everything that could be healed has been healed."""
