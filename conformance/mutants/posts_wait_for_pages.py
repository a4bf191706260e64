from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Send
from refserver.access.http.call import Call
from refserver.access.node import AccessNode

_WAIT_S = 3.0


def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
    if isinstance(message, Send) and self.user in owing:
        gevent.spawn_later(_WAIT_S, ask, self, message, then)
    else:
        ask(self, message, then)


owing: set[str] = set()


def patch() -> None:
    def request(request: Any, self: Any, connection: Any, message: Any) -> None:
        request(self, connection, message)
        if connection.held is not None and connection.presence is not None:
            owing.add(connection.presence.user)

    around(Call, "ask", ask)
    around(AccessNode, "_request", request)


MUTANT = Mutant(
    "posts_wait_for_pages",
    breaks=("CHN.8",),
    story="what a user sends over HTTP waits while one of his connections is owed a page",
    patch=patch,
)
