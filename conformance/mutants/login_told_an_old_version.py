from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.node import AccessNode


def patch() -> None:
    around(
        AccessNode,
        "attached",
        lambda attached, self, connection, newest: attached(self, connection, max(newest - 1, 0)),
    )


MUTANT = Mutant(
    "login_told_an_old_version",
    breaks=("DLV.4",),
    story="the version told at login comes from a cache that lags",
    patch=patch,
)
