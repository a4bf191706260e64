"""What devices showed of the messages of one case, whatever else their accounts have seen before it."""

import secrets
from collections import Counter
from collections.abc import Sequence

from conformance.deviations import Judge
from drivers.events import Acked, Beat, Event, Rejected, Repeated
from drivers.pumps.blocking import Device


def fresh(count: int, what: str = "message") -> list[bytes]:
    """So many bodies that nobody has sent before."""
    mark = secrets.token_hex(4)
    return [f"{what} {number} of {mark}".encode() for number in range(count)]


def times_shown(device: Device, bodies: Sequence[bytes]) -> Counter[bytes]:
    """How often the application was shown each of `bodies` by this device."""
    wanted = set(bodies)
    return Counter(entry.body for entry in device.timeline() if entry.body in wanted)


def order_shown(device: Device, bodies: Sequence[bytes]) -> list[bytes]:
    """Those of `bodies` that the device showed, in the order in which it did."""
    wanted = set(bodies)
    return [entry.body for entry in device.timeline() if entry.body in wanted]


def send_all(judge: Judge, source: Device, to: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Hands all of `bodies` over at once and awaits the answers; those that were accepted. That some are
    refused while nobody is there to take them is judged. Raises Expected where one is not answered."""
    by_cid = {source.send(to, body): body for body in bodies}
    accepted, refused = [], []
    for cid, body in by_cid.items():
        answer = source.await_event(
            Event,
            lambda event, cid=cid: isinstance(event, Acked | Rejected) and event.cid == cid,  # type: ignore[misc]
            timeout_s=60.0,
        )
        if isinstance(answer, Rejected):
            refused.append(answer.text)
        else:
            accepted.append(body)
    judge(
        not refused,
        "what_waits_is_limited",
        f"{len(refused)} of {len(bodies)} were refused while their recipient was away: {refused[:1]}",
    )
    return accepted


def assert_each_once(device: Device, bodies: Sequence[bytes], timeout_s: float = 20.0) -> None:
    """Every one of `bodies` is shown within the time, and none twice. Raises Expected, AssertionError."""
    for body in bodies:
        device.await_delivered(body, timeout_s=timeout_s)
    counts = times_shown(device, bodies)
    twice = {body: count for body, count in counts.items() if count > 1}
    assert not twice, f"{device.name}: expected each message to be shown once, got {twice}"


def judge_repeats(judge: Judge, device: Device, bodies: Sequence[bytes]) -> None:
    """What came to the device more than once is told where a standard other than our own speaks of it."""
    again = [event for event in device.all_of(Repeated) if event.entry.body in set(bodies)]
    marked = sum(event.attempt > 1 for event in again)
    judge(
        judge.is_by_our_protocol or not again,
        "messages_come_again",
        f"{len(again)} of {len(bodies)} messages came again, {marked} of them marked as repeats, and the "
        f"client kept them from the application",
    )


def await_beats(device: Device, count: int, timeout_s: float = 20.0) -> None:
    """So many heartbeats that are sent from now on are answered. Raises Expected."""
    since = len(device.events)
    for _ in range(count):
        device.await_event(Beat, since=since, timeout_s=timeout_s)
        since = next(n + 1 for n, event in enumerate(device.events[since:], since) if isinstance(event, Beat))


def first_out_of_order(found: Sequence[bytes], wanted: Sequence[bytes]) -> str:
    """Where two sequences part, in words; "" where they do not."""
    for place, (one, other) in enumerate(zip(found, wanted, strict=False)):
        if one != other:
            return f"place {place + 1} has {one!r} instead of {other!r}"
    return "" if len(found) == len(wanted) else f"{len(found)} were shown instead of {len(wanted)}"
