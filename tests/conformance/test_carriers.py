"""Which carriers a run takes, and what each run gets of a target."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import carriers
from conformance.carriers import UnknownCarrier
from conformance.target import Target, TargetUnusable

ALL = ("tcp", "tls", "ws", "wss", "longpoll", "shortpoll")


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    names = [f"u{number}" for number in range(10)]
    block: dict[str, Any] = {
        "users": [{"user": name, "token": "t"} for name in names],
        "friends": names[:7],
        "strangers": names[7:],
        "group_members": names[:5],
        "outsiders": names[5:7],
    }
    blocks = [{**block, "group": f"g:{number}"} for number in range(5)]
    path = tmp_path / "accounts.json"
    path.write_bytes(msgspec.json.encode({"format": 1, "blocks": blocks}))
    return path


@pytest.mark.parametrize(
    ("wanted", "named", "chosen"),
    [
        ((), (), ("tcp",)),
        ((), ("ws", "tcp", "ws"), ("ws", "tcp")),
        (("all",), (), ALL),
        (("all",), ("tls", "tcp"), ("tls", "tcp")),
        (("wss", "tcp", "wss"), (), ("wss", "tcp")),
        (("tcp",), ("tls", "tcp"), ("tcp",)),
    ],
)
def test_carriers_are_those_asked_for_or_those_of_the_target(
    wanted: tuple[str, ...], named: tuple[str, ...], chosen: tuple[str, ...]
) -> None:
    assert carriers.chosen(wanted, named) == chosen


@pytest.mark.parametrize(
    ("wanted", "named", "complaint"),
    [
        (("pigeon",), (), "the carriers are starttls, tcp, tls, ws, wss, longpoll, shortpoll, or all"),
        (("tls",), ("tcp",), r"add a --target DIALECT\+tls://HOST:PORT"),
    ],
)
def test_a_carrier_that_cannot_be_is_refused(
    wanted: tuple[str, ...], named: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(UnknownCarrier, match=complaint):
        carriers.chosen(wanted, named)


URLS = ("chat+tcp://127.0.0.1:1", "chat+ws://127.0.0.1:2", "chat+tcp://127.0.0.1:3")


def test_urls_of_one_carrier_are_nodes_of_one_target(accounts: Path) -> None:
    target = Target(URLS, accounts)
    assert (target.carrier, target.chosen) == ("tcp", ("tcp", "ws"))
    assert [endpoint.port for endpoint in target.endpoints] == [1, 3]
    assert [endpoint.port for endpoint in target.endpoints_of("ws")] == [2]
    assert target.endpoints_of("tls") == ()


def test_runs_side_by_side_share_no_account(accounts: Path) -> None:
    over = [Target(URLS, accounts, carrier=carrier) for carrier in ("tcp", "ws")]
    taken = [target.next_block().group for target in (*over, *over, over[0])]
    assert sorted(taken) == [f"g:{number}" for number in range(5)]
    over[1].cases_planned = 10
    with pytest.raises(TargetUnusable, match="10 cases over 2 carriers: 5, and 36 are enough"):
        over[1].next_block()


def test_short_requests_have_a_place_in_the_clear_and_one_with_tls(accounts: Path) -> None:
    http = ("https://127.0.0.1:5?ca=/ca.pem", "http://127.0.0.1:4")
    target = Target(URLS, accounts, http=http)
    assert (target.http_url, target.https_url) == (http[1], http[0])
    assert target.ca == Path("/ca.pem")
    assert target.lacks("tls") is None
    assert Target(URLS, accounts).lacks("tls")
    with pytest.raises(TargetUnusable, match="there is an http:// URL already"):
        Target(URLS, accounts, http=(http[1], http[1]))
    with pytest.raises(TargetUnusable, match="write http://HOST:PORT or https"):
        Target(URLS, accounts, http=("127.0.0.1:4",))
