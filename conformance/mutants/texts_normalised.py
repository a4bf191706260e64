import unicodedata
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Send
from refserver.business.committing import Committer


def _normal(body: bytes) -> bytes:
    try:
        return unicodedata.normalize("NFC", body.decode()).encode()
    except UnicodeDecodeError:
        return body


def take(put: Any, self: Any, request: Any) -> None:
    message = request.message
    if isinstance(message, Send):
        request = request._replace(message=replace(message, body=_normal(message.body)))
    put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "texts_normalised",
    breaks=("STO.1",),
    story="text is brought into one form of Unicode before it is stored",
    patch=patch,
)
