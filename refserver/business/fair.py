"""A queue in which whoever asked for much waits behind what they asked for themselves."""

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
_by_arrival = itemgetter(0)


class FairQueue(Generic[Asked]):
    """Users take turns, one thing each; what one user asked for stays in order. `len`: how much waits."""

    __slots__ = ("_arrivals", "_count", "_lines", "_returns", "_size_bytes", "_users")

    def __init__(self, size_bytes: Callable[[Asked], int] = lambda asked: 0) -> None:
        self._size_bytes = size_bytes
        self._lines: dict[str, deque[tuple[int, Asked]]] = {}
        self._users: deque[str] = deque()
        self._arrivals = itertools.count(1)
        self._returns = itertools.count(-1, -1)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, user: str, asked: Asked) -> None:
        """Behind everything of `user`."""
        line = self._lines.get(user)
        if line is None:
            line = self._lines[user] = deque()
            self._users.append(user)
        line.append((next(self._arrivals), asked))
        self._count += 1

    def put_back(self, user: str, asked: Asked) -> None:
        """Before everything else, of `user` and of all others."""
        line = self._lines.get(user)
        if line is None:
            line = self._lines[user] = deque()
        else:
            self._users.remove(user)
        line.appendleft((next(self._returns), asked))
        self._users.appendleft(user)
        self._count += 1

    def take(self, most: int, *, of_one: int | None = None, most_bytes: float = math.inf) -> list[Asked]:
        """Up to `most`, `of_one` at most of any user, until they have `most_bytes` together; at least one, if
        there is any. In order of arrival: who may come is what is shared out, not who comes first."""
        taken: list[tuple[int, Asked]] = []
        size_bytes = 0
        for each in self._in_turns(of_one or most):
            taken.append(each)
            size_bytes += self._size_bytes(each[1])
            if len(taken) == most or size_bytes >= most_bytes:
                break
        taken.sort(key=_by_arrival)
        return [asked for _, asked in taken]

    def _in_turns(self, of_one: int) -> Iterator[tuple[int, Asked]]:
        for _ in range(of_one):
            for _ in range(len(self._users)):
                yield self._next()
            if not self._users:
                return

    def _next(self) -> tuple[int, Asked]:
        user = self._users.popleft()
        line = self._lines[user]
        each = line.popleft()
        if line:
            self._users.append(user)
        else:
            del self._lines[user]
        self._count -= 1
        return each
