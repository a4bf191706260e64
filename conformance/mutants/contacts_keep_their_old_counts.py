from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, replace
from protocol.messages import ContactList, Contacts


def patch() -> None:
    told: dict[tuple[str, int], int] = {}

    def change(user: str, asked: Any, page: Any) -> Any:
        contacts = []
        for contact in page.contacts:
            unread = told.setdefault((user, contact.mid), contact.unread)
            contacts.append(replace(contact, unread=unread))
        return ContactList(contacts)

    answered(Contacts, change)


MUTANT = Mutant(
    "contacts_keep_their_old_counts",
    breaks=("STO.3",),
    story="the list of contacts tells the count of the newest message and not of now",
    patch=patch,
)
