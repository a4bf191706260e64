import itertools
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import SendPackage
from refserver.access.http.call import Call


def patch() -> None:
    turn = itertools.count()

    def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
        if isinstance(message, SendPackage):
            cid = message.cid

            def named(reply: Any) -> None:
                then(replace(reply, cid=cid))

            ask(self, replace(message, cid=f"{cid[:40]} {next(turn)}"), named)
        else:
            ask(self, message, then)

    around(Call, "ask", ask)


MUTANT = Mutant(
    "posted_packages_stored_again",
    breaks=("CHN.1",),
    story="a package by a short request is no repeat, whatever its client id",
    patch=patch,
)
