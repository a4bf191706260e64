from typing import Any

import msgspec

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.limits import MAX_PACKAGE_ITEMS
from protocol.messages import SendPackage
from refserver.access.http import server
from refserver.access.http.call import Call
from refserver.access.http.sending import ItemShape, Sending


def decoded(decoded: Any, body: bytes, kind: Any) -> Any:
    if kind is not Sending:
        return decoded(body, kind)
    content = msgspec.json.decode(body)
    items = content.get("items") if isinstance(content, dict) else None
    rest = []
    if isinstance(items, list):
        rest = items[MAX_PACKAGE_ITEMS:]
        content["items"] = items[:MAX_PACKAGE_ITEMS]
    found = decoded(msgspec.json.encode(content), kind)
    if rest:
        found.items += msgspec.convert(rest, list[ItemShape])
    return found


def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
    if isinstance(message, SendPackage):
        self._then = then
        self.node.ask(self, message)
    else:
        ask(self, message, then)


def patch() -> None:
    around(server, "_decoded", decoded)
    around(Call, "ask", ask)


MUTANT = Mutant(
    "posted_packages_of_any_size",
    breaks=("CHN.1",),
    story="how many items a package may have is looked at where frames are read",
    patch=patch,
)
