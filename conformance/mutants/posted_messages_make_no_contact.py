from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import answered, around
from protocol.messages import ContactList, Contacts
from refserver.access.http.server import HttpNode
from refserver.business.committing import Committer


def patch() -> None:
    posted: set[int] = set()

    def push(push: Any, self: Any, delivery: Any) -> None:
        if isinstance(delivery.request.node, HttpNode):
            posted.add(delivery.mid)
        push(self, delivery)

    def change(user: str, asked: Any, page: Any) -> ContactList:
        return ContactList([contact for contact in page.contacts if contact.mid not in posted])

    around(Committer, "_push", push)
    answered(Contacts, change)


MUTANT = Mutant(
    "posted_messages_make_no_contact",
    breaks=("CHN.1",),
    story="who is written to by a short request is no recent contact",
    patch=patch,
)
