from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, around, replace
from protocol.messages import ContactList, Contacts, PackageSent
from refserver.business.planning import Plan


def patch() -> None:
    first: dict[int, Any] = {}

    def accept(accept: Any, self: Any, request: Any, items: Any) -> Any:
        answer = accept(self, request, items)
        if isinstance(answer, PackageSent):
            first[answer.placed[-1].mid] = answer.placed[0]
        return answer

    def change(user: str, asked: Any, page: Any) -> ContactList:
        return ContactList([pointed(contact) for contact in page.contacts])

    def pointed(contact: Any) -> Any:
        at = first.get(contact.mid)
        return contact if at is None else replace(contact, mid=at.mid, sequence=at.sequence)

    around(Plan, "_accept", accept)
    answered(Contacts, change)


MUTANT = Mutant(
    "contacts_point_to_the_first_of_a_package",
    breaks=("STO.3",),
    story="a package moves the contact to where it begins",
    patch=patch,
)
