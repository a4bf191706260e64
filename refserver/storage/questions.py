"""Questions of users to the store, many in one step.

A thousand devices that come back at once ask a thousand times; each step of its own would wait for the
interpreter twice.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import select

from protocol.messages import Message
from refserver.storage import sqlite
from refserver.storage.statements import chunk

Asked = tuple[str, Message]
"""(user, message)"""

_TOGETHER = 16
"""Pages in one step; each may be a megabyte and a half on its way."""


class Question:
    """One kind of question. `given(user, asked)`: the parameters of `columns`, none of which has a FROM;
    `answer(user, asked, *columns)`: the message.
    """

    def __init__(
        self, columns: list[Any], given: Callable[..., dict[str, Any]], answer: Callable[..., Message]
    ):
        compiled = select(*columns).compile(dialect=sqlite.DIALECT)
        self._columns = str(compiled).removeprefix("SELECT ")
        self._width = len(columns)
        self._names = compiled.positiontup or []
        self._fixed = compiled.params
        self._given = given
        self._answer = answer

    def ask(self, cursor: Any, questions: Sequence[Asked]) -> list[Message]:
        """The answer to each of `questions`, which are all of this kind."""
        answers: list[Message] = []
        while len(answers) < len(questions):
            rest = questions[len(answers) :]
            together = rest[: chunk(len(rest), _TOGETHER)]
            columns = ", ".join([self._columns] * len(together))
            row = cursor.execute(f"SELECT {columns}", self._parameters(together)).fetchone()
            cells = iter(row)
            for user, message in together:
                answers.append(self._answer(user, message, *islice(cells, self._width)))
        return answers

    def _parameters(self, questions: Sequence[Asked]) -> list[Any]:
        parameters: list[Any] = []
        for user, message in questions:
            values = {**self._fixed, "user": user, **self._given(user, message)}
            parameters += [values[name] for name in self._names]
        return parameters
