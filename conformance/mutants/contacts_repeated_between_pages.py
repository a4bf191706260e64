from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import asked
from protocol.messages import Contacts


def patch() -> None:
    asked(Contacts, lambda user, page: Contacts(page.after + 1 if page.after else 0, page.limit))


MUTANT = Mutant(
    "contacts_repeated_between_pages",
    breaks=("STO.3",),
    story='"after" is taken for "from"',
    patch=patch,
)
