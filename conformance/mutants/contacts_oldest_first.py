from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import ContactList, Contacts


def patch() -> None:
    answered(Contacts, lambda user, asked, page: ContactList(page.contacts[::-1]))


MUTANT = Mutant(
    "contacts_oldest_first",
    breaks=("STO.3",),
    story="the order of contacts is left to the database",
    patch=patch,
)
