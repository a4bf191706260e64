from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.call import Call
from refserver.access.http.server import HttpNode


def patch() -> None:
    busy: dict[tuple[str, str], list[Any]] = {}

    def run(run: Any, self: Any, call: Any, route: Any, request: Any, query: str) -> None:
        key = (call.user, call.device)
        waiting = busy.get(key)
        if not call.user:
            run(self, call, route, request, query)
        elif waiting is not None:
            waiting.append((run, self, call, route, request, query))
        else:
            busy[key] = []
            run(self, call, route, request, query)

    def finish(finish: Any, self: Any) -> None:
        was_over = self.finished
        finish(self)
        waiting = None if was_over else busy.pop((self.user, self.device), None)
        while waiting:
            again, node, call, *rest = waiting.pop(0)
            if not call.finished:
                busy[call.user, call.device] = waiting
                again(node, call, *rest)
                return

    around(HttpNode, "_run", run)
    around(Call, "_finish", finish)


MUTANT = Mutant(
    "requests_of_a_device_one_by_one",
    breaks=("CHN.8",),
    story="requests of a session wait for each other, a poll that is held included",
    patch=patch,
)
