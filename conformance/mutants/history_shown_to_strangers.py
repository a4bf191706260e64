from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Error, History
from refserver.storage import Storage


def answer(answer: Any, self: Any, questions: Any) -> Any:
    found = answer(self, questions)
    for place, (_, question) in enumerate(questions):
        if isinstance(question, History) and isinstance(found[place], Error):
            party = question.conversation.split(":")[0]
            found[place] = answer(self, [(party, question)])[0]
    return found


def patch() -> None:
    around(Storage, "answer", answer)


MUTANT = Mutant(
    "history_shown_to_strangers",
    breaks=("SEC.5",),
    story="who knows the name of a conversation may read it",
    patch=patch,
)
