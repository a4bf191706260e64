"""Waiting for a device that is away on purpose is no latency."""

from ledger.latency import latencies
from ledger.reader import Ledger

MS = 1_000_000
DEVICES = [(0, 0, "a", "d0"), (1, 1, "b", "d0")]


def run(*rows: dict[str, object]) -> dict[str, dict[str, float]]:
    ledger = Ledger.from_rows(rows, devices=DEVICES, conversations=[(0, "a:b")], members=[(0, 0), (0, 1)])
    return latencies(ledger)


def send(message: int, at_ms: int) -> dict[str, object]:
    return {"event": "send", "at_ns": at_ms * MS, "planned_ns": at_ms * MS, "device": 0, "message": message,
            "conversation": 0}  # fmt: skip


def delivered(message: int, at_ms: int) -> dict[str, object]:
    return {"event": "delivered", "at_ns": at_ms * MS, "device": 1, "message": message, "conversation": 0,
            "sequence": message, "version": message, "via": "push"}  # fmt: skip


def moved(event: str, at_ms: int) -> dict[str, object]:
    return {"event": event, "at_ns": at_ms * MS, "device": 1}


def test_a_delivery_to_a_device_that_was_there_counts_as_it_was() -> None:
    figures = run(send(1, 10), delivered(1, 30))
    assert figures["deliver"]["count"] == 1
    assert figures["deliver"]["max"] == 20.0
    assert figures["catch_up"]["count"] == 0


def test_a_message_for_a_device_that_is_away_is_caught_up_with() -> None:
    figures = run(moved("offline", 5), send(1, 10), moved("online", 500), delivered(1, 510))
    assert figures["deliver"]["count"] == 0
    assert figures["catch_up"]["max"] == 500.0


def test_a_device_that_leaves_before_the_delivery_catches_up_too() -> None:
    figures = run(send(1, 10), moved("offline", 12), moved("online", 500), delivered(1, 510))
    assert figures["catch_up"]["count"] == 1


def test_an_absence_before_the_send_or_after_the_delivery_excuses_nothing() -> None:
    figures = run(
        moved("offline", 1), moved("online", 5), send(1, 10), delivered(1, 900), moved("offline", 950)
    )
    assert figures["deliver"]["max"] == 890.0
    assert figures["catch_up"]["count"] == 0


def test_who_never_comes_back_on_purpose_is_away_until_the_end() -> None:
    figures = run(moved("offline", 5), send(1, 10), delivered(1, 700))
    assert figures["catch_up"]["count"] == 1
