from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http import server


def patch() -> None:
    around(server, "_split", lambda split, target: tuple(target.partition("?")[::2]))


MUTANT = Mutant(
    "absolute_targets_not_found",
    breaks=("CHN.4",),
    story="a request names a path, never a whole URL: who goes through proxies is not thought of",
    patch=patch,
)
