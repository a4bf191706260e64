"""How faults are written, and what is said about those that are written wrongly."""

from typing import Any

import pytest

from chaos.errors import FaultSyntaxError
from chaos.fault import Fault, ToxicFault, fault_kinds
from chaos.plan import FaultSpec, parse_fault


def test_the_parts_behind_a_fault_come_in_any_order() -> None:
    expected = FaultSpec("frame_loss", "5%", 10.0, 20.0, "access-1")
    assert parse_fault("frame_loss=5% at 10s for 20s on access-1") == expected
    assert parse_fault("frame_loss=5% on access-1 for 20s at 10s") == expected


def test_what_is_left_out_means_at_once_everywhere_until_the_end() -> None:
    assert parse_fault("latency=300ms") == FaultSpec("latency", "300ms", 0.0, None, "*")


def test_a_table_means_the_same_as_a_line() -> None:
    table = {"fault": "latency", "value": "300ms±100ms", "at": "20s", "for": 15, "target": "*"}
    assert FaultSpec.from_mapping(table) == parse_fault("latency=300ms±100ms at 20s for 15s")


@pytest.mark.parametrize(
    ("text", "attributes", "streams"),
    [
        ("frame_loss=5%", {"probability": 0.05, "types": ""}, ("upstream", "downstream")),
        ("frame_loss=0.5 stream upstream", {"probability": 0.5, "types": ""}, ("upstream",)),
        ("latency=300ms±100ms", {"latency": 300, "jitter": 100}, ("upstream", "downstream")),
        ("latency=1.5s+-20ms", {"latency": 1500, "jitter": 20}, ("upstream", "downstream")),
        ("latency=300ms stream both", {"latency": 300, "jitter": 0}, ("upstream", "downstream")),
        ("bandwidth=50KB/s", {"rate": 50}, ("upstream", "downstream")),
        ("bandwidth=2MB/s", {"rate": 2000}, ("upstream", "downstream")),
        ("bandwidth=0KB/s", {"rate": 0}, ("upstream", "downstream")),
        ("frame_loss=5%/push,sent", {"probability": 0.05, "types": "push,sent"}, ("upstream", "downstream")),
        ("frame_duplicate=2%", {"probability": 0.02, "types": ""}, ("upstream", "downstream")),
        ("frame_reorder=5%", {"probability": 0.05, "window": 3}, ("upstream", "downstream")),
        ("frame_reorder=5%/8", {"probability": 0.05, "window": 8}, ("upstream", "downstream")),
        (
            "frame_delay=300ms±100ms/push stream downstream",
            {"delay": 300, "jitter": 100, "types": "push"},
            ("downstream",),
        ),
        ("frame_corrupt=1%", {"probability": 0.01, "part": "header"}, ("upstream", "downstream")),
        ("frame_corrupt=1%/body", {"probability": 0.01, "part": "body"}, ("upstream", "downstream")),
        ("drop_first=3", {"count": 3, "types": ""}, ("upstream", "downstream")),
        ("shared_bandwidth=1MB/s", {"rate": 1000}, ("upstream", "downstream")),
        ("slow_close=2s", {"delay": 2000}, ("downstream",)),
        ("timeout", {"timeout": 0}, ("upstream", "downstream")),
        ("timeout=5s", {"timeout": 5000}, ("upstream", "downstream")),
        (
            "slicer=64B±32B/1ms",
            {"average_size": 64, "size_variation": 32, "delay": 1000},
            ("upstream", "downstream"),
        ),
        ("slicer=64", {"average_size": 64, "size_variation": 0, "delay": 0}, ("upstream", "downstream")),
        ("limit_data=10KB", {"bytes": 10_000}, ("downstream",)),
        ("limit_data=10KiB stream upstream", {"bytes": 10_240}, ("upstream",)),
        ("reset_peer", {"timeout": 0}, ("downstream",)),
    ],
)
def test_a_value_becomes_the_attributes_of_the_toxic(
    text: str, attributes: dict[str, object], streams: tuple[str, ...]
) -> None:
    fault = parse_fault(text).fault()
    assert isinstance(fault, ToxicFault)
    assert (fault.attributes, fault.streams) == (attributes, streams)


@pytest.mark.parametrize("kind", fault_kinds().values(), ids=lambda kind: kind.name)
def test_each_fault_shows_how_it_is_written_and_has_a_colour_of_its_own(kind: type[Fault[Any]]) -> None:
    spec = parse_fault(kind.example)
    assert spec.name == kind.name
    assert spec.summary().replace(" ", "_").startswith(kind.name)
    assert [each.color for each in fault_kinds().values()].count(kind.color) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty fault; there are bandwidth, block"),
        ("rain=5%", "no fault 'rain'; there are bandwidth, "),
        ("latency", "latency needs a value; write it like latency=300ms"),
        ("latency=", "latency needs a value"),
        ("latency=3", "'3' is not a time"),
        ("latency=fast", "'fast' is not a number with a unit"),
        ("frame_loss=101%", "'101%' is not a share"),
        ("frame_reorder=5%/0", "frame_reorder=5%/0: window must be between 1 and 1000, is 0"),
        ("frame_corrupt=5%/feet", "part 'feet' is unknown, there are header, body"),
        ("frame_reorder=5%/x", "the window is a number, such as in frame_reorder=5%/4"),
        ("frame_loss=5%/pushh", "types: no message is a 'pushh', there are "),
        ("drop_first=few", "is no number of messages; write it like drop_first=3"),
        ("bandwidth=50KB", "'50KB' is not a rate"),
        ("bandwidth=5B/s", "less than 1KB/s"),
        ("slicer=5±9", "larger than its variation"),
        ("limit_data=3h", "'3h' is not a size"),
        ("block=5", "block takes no value"),
        ("cut", "cut needs a value"),
        ("cut=0%", "cuts nobody"),
        ("cut=5% on access-1", "leave out `on`"),
        ("kill", "kill needs `on access`, `on server` or"),
        ("kill on access-1", "kill needs `on access`, `on server` or"),
        ("kill for 5s on access", "happens at one moment"),
        ("reset stream upstream", "reset takes no stream"),
        ("reset at 3s for 5s", "reset happens at one moment"),
        ("latency=3ms at", "ends behind 'at'"),
        ("latency=3ms at 1s at 2s", "says 'at' twice"),
        ("latency=3ms until 5s", "there are at, for, on, stream"),
        ("latency=3ms at noon", "'noon' is not a number"),
        ("latency=3ms stream side", "there are upstream, downstream, both"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(text: str, said: str) -> None:
    with pytest.raises(FaultSyntaxError) as caught:
        parse_fault(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "needs `fault`"),
        ({"fault": 3}, "needs `fault`"),
        ({"fault": "block", "when": "5s"}, "a fault has no 'when'; there are fault, value, at"),
        ({"fault": "block", "target": 5}, "target of block has to be a text"),
        ({"fault": "block", "at": True}, "'True' is not a number"),
        ({"fault": "block", "at": -1}, "'-1' is not a number"),
    ],
)
def test_a_wrong_table_is_named_in_one_line(table: dict[str, object], said: str) -> None:
    with pytest.raises(FaultSyntaxError) as caught:
        FaultSpec.from_mapping(table)
    assert said in str(caught.value)
