from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.answers import Answer
from refserver.access.http.server import HttpNode


def begin(begin: Any, self: Any, exchange: Any, request: Any) -> None:
    if exchange.channel._carrier is None:
        begin(self, exchange, request)
        return
    host = request.headers.get("host", "")
    exchange.answer(Answer(301, b"", headers={"Location": f"http://{host}{request.target}"}))


def patch() -> None:
    around(HttpNode, "begin", begin)


MUTANT = Mutant(
    "https_sends_to_http",
    breaks=("SEC.1",),
    story="HTTPS is there, and says that everything is to be had in the clear",
    patch=patch,
)
