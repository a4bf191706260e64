from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, around, key_of
from protocol.messages import ContactList, Contacts
from refserver.business.planning import Plan


def patch() -> None:
    repeated: list[str] = []

    def send(send: Any, self: Any, request: Any) -> Any:
        is_repeat = key_of(request) in self._answers
        answer = send(self, request)
        if is_repeat:
            repeated.append(request.message.to)
        else:
            repeated.clear()
        return answer

    def change(user: str, asked: Any, page: Any) -> ContactList:
        return ContactList(sorted(page.contacts, key=lambda contact: contact.peer not in repeated))

    around(Plan, "_send", send)
    answered(Contacts, change)


MUTANT = Mutant(
    "contacts_moved_by_repeats",
    breaks=("STO.3",),
    story="a repeat is not stored again, but brings its contact to the top",
    patch=patch,
)
