"""The URL of a scheduler: what it says, and what is said of one that cannot be meant."""

import pytest

from drivers.endpoints import TargetError, parse_target
from drivers.ladder.answers import Point
from drivers.ladder.candidates import of_points
from drivers.ladder.origin import PORTS


def test_a_name_is_enough() -> None:
    origin = parse_target("chat+scheduler://chat.example").origin
    assert origin is not None
    assert (origin.name, origin.port, origin.ports, origin.address) == ("chat.example", 80, PORTS, None)
    assert origin.carriers == ("tcp", "ws", "longpoll", "shortpoll")


def test_over_tls_nothing_plain_is_used() -> None:
    origin = parse_target("chat+schedulers://chat.example").origin
    assert origin is not None
    assert (origin.port, origin.carriers) == (443, ("tls", "wss"))
    named = [Point(f"{scheme}://10.0.0.1:443", 0) for scheme in ("tcp", "http", "ws", "tls", "wss")]
    assert [each.endpoint.label for each in of_points(origin, named)] == ["tls:443", "wss:443"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("fallback=chat.example", "fallback=chat.example: an address is built in, not a name"),
        ("httpdns=dns.example", "httpdns=dns.example: an address is needed"),
        ("proxy=proxy.example:8080", "proxy=proxy.example: an address is needed"),
        ("proxy=10.0.0.1:8080,10.0.0.2:8080", "there is one proxy=, or none"),
        ("proxy=10.0.0.1:0", "proxy=10.0.0.1:0: write HOST:PORT"),
        ("ports=0", "ports=0: a port is 1 to 65535"),
        ("ports=80,http", "ports=http: a port is 1 to 65535"),
        ("carriers=tcp,pigeon", "carriers=pigeon: the carriers are"),
        ("speed=fast", "?speed= means nothing here"),
        ("ports=" + ",".join(["80"] * 17), "no more than 16 of each"),
    ],
)
def test_what_cannot_be_meant_is_one_line(query: str, words: str) -> None:
    with pytest.raises(TargetError) as refused:
        parse_target(f"chat+scheduler://chat.example?{query}")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_scheduler_cannot_be_behind_a_proxy_for_faults() -> None:
    with pytest.raises(TargetError, match="name access points"):
        parse_target("chat+scheduler://chat.example").moved("127.0.0.1", 1)


@pytest.mark.parametrize("url", ["chat+scheduler://", "chat+scheduler://:80", "mqtt+scheduler://h"])
def test_a_url_without_a_host_or_dialect_is_refused(url: str) -> None:
    with pytest.raises(TargetError):
        parse_target(url)


@pytest.mark.parametrize(
    "url",
    [
        "tcp://chat.example:1",
        "tcp://10.0.0.1",
        "tcp://[::1",
        "tcp://10.0.0.1:99999",
        "smoke://10.0.0.1:1",
        "",
    ],
)
def test_what_a_scheduler_names_that_is_nothing_is_passed_over(url: str) -> None:
    origin = parse_target("chat+scheduler://chat.example").origin
    assert origin is not None
    assert of_points(origin, [Point(url, 0), Point("tcp://10.0.0.1:14000", 0)])[0].endpoint.port == 14000
    assert len(of_points(origin, [Point(url, 0)])) == 0
