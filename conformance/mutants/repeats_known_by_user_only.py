from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def patch() -> None:
    around(Committer, "put", lambda put, self, request: put(self, request._replace(device="any")))


MUTANT = Mutant(
    "repeats_known_by_user_only",
    breaks=("DLV.2",),
    story="client ids are taken to be unique for a user, and two devices count alike",
    patch=patch,
)
