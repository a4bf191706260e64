"""Histories of five lines: what happened, when, to whom.

    0.1 acked     anna/1 a1 seq=1 ver=1

`a1` is the first message of anna/1, `A1` of anna/2, `b1` of bo/1, `c1` of cy/1; `-` one that cannot be read.
The conversation is `anna:bo` unless the line says `in=g:all`. anna/1 and bo/1 log in at second 0.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.checks import Options, all_checks
from ledger.reader import Ledger
from ledger.result import Result
from ledger.run_folder import Fault, Phases
from ledger.schema import message_key

DEVICES = {"anna/1": (0, 0), "anna/2": (1, 0), "bo/1": (2, 1), "cy/1": (3, 2)}
CONVERSATIONS = {"anna:bo": 0, "g:all": 1}
MEMBERS = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
SENDERS = {"a": 0, "A": 1, "b": 2, "c": 3}
COLUMNS = {"seq": "sequence", "ver": "version", "code": "code"}
SECOND = 10**9


def row_of(line: str) -> dict[str, Any]:
    at, event, device, *rest = line.split()
    row: dict[str, Any] = {"at_ns": round(float(at) * SECOND), "event": event, "device": DEVICES[device][0]}
    for word in rest:
        name, equals, value = word.partition("=")
        if not equals and word != "-":
            row["message"] = message_key(SENDERS[word[0]], int(word[1:]))
        elif name == "in":
            row["conversation"] = CONVERSATIONS[value] if value != "total" else None
        elif name in COLUMNS:
            row[COLUMNS[name]] = int(value)
        elif name == "via":
            row["via"] = value
    if event in ("send", "acked", "delivered", "repeated", "read", "unread"):
        row.setdefault("conversation", 0)
    if event == "send":
        row["planned_ns"] = row["at_ns"]
    return row


def fault_of(text: str) -> Fault:
    """`kill 1.0 2.0`"""
    name, start, end = text.split()
    return Fault(name, "server", round(float(start) * SECOND), round(float(end) * SECOND))


@pytest.fixture
def history() -> Callable[..., Ledger]:
    def make(
        text: str, *, devices: str = "anna/1 bo/1", faults: str = "", samples: Any = (), **more: Any
    ) -> Ledger:
        logins = [row_of(f"0 login {device} ver=0 via=tcp:14000") for device in devices.split()]
        return Ledger.from_rows(
            [*logins, *(row_of(line) for line in text.strip().splitlines())],
            devices=[(index, user, *name.split("/")) for name, (index, user) in DEVICES.items()],
            conversations=[(index, name) for name, index in CONVERSATIONS.items()],
            members=MEMBERS,
            phases=Phases(0, 0, 100 * SECOND, 100 * SECOND),
            faults=[fault_of(fault) for fault in faults.split(",") if fault],
            samples=samples,
            **more,
        )

    return make


@pytest.fixture
def judge(history: Callable[..., Ledger]) -> Callable[..., Result]:
    """The result of one check over a history."""

    def run(check: str, text: str, **more: Any) -> Result:
        return all_checks()[check](history(text, **more), Options(heartbeat_s=1.0))

    return run
