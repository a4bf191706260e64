from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def patch() -> None:
    around(Committer, "_commit", lambda commit, self, batch: commit(self, batch[::-1]))


MUTANT = Mutant(
    "batches_stored_backwards",
    breaks=("ORD.2",),
    story="what gathers during a commit is kept on a stack",
    patch=patch,
)
