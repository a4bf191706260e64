from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered
from protocol.messages import ContactList, Contacts
from protocol.names import is_group


def change(user: str, asked: Any, page: Any) -> ContactList:
    return ContactList([contact for contact in page.contacts if not is_group(contact.peer)])


def patch() -> None:
    answered(Contacts, change)


MUTANT = Mutant(
    "contacts_without_groups",
    breaks=("STO.3",),
    story="a contact is a person",
    patch=patch,
)
