"""A delivery that does not say which message it was."""

from ledger.checks import run_checks
from ledger.reader import Ledger

DEVICES = [(0, 0, "a", "d0"), (1, 1, "b", "d0")]


def row(event: str, at_ns: int, device: int, **columns: object) -> dict[str, object]:
    return {"event": event, "at_ns": at_ns, "device": device, **columns}


def test_it_makes_no_pair_of_message_and_device_count_twice() -> None:
    place = {"conversation": 0, "sequence": 1}
    ledger = Ledger.from_rows(
        [
            row("login", 0, 0, version=0),
            row("login", 0, 1, version=0),
            row("send", 10, 0, message=1, conversation=0),
            row("acked", 20, 0, message=1, version=1, **place),
            row("delivered", 30, 1, message=1, version=1, via="push", **place),
            row("delivered", 40, 0, version=None, via="push", **place),
            row("settled", 50, 0, version=1),
            row("settled", 50, 1, version=1),
        ],
        devices=DEVICES,
        conversations=[(0, "a:b")],
        members=[(0, 0), (0, 1)],
    )
    figures = run_checks(ledger)["completeness"].figures
    assert (figures["expected"], figures["ok"]) == (1, 1)
