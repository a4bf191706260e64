"""A server whose disk is slow or full, or whose clock is stepped, while it runs."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chaos.errors import ChaosError
from chaos.volume import Volume
from drivers import events
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.policy import Policy
from drivers.pumps.blocking import Device
from protocol.errors import ErrorCode
from refserver.accounts.adding import generate
from refserver.accounts.issuing import tokens
from refserver.disturbances import Disturbances
from refserver.process import ServerProcess

HOUR_S = 3600.0


class Place:
    """A server with disturbances, and its users' devices."""

    def __init__(self, stack: ExitStack, data: Path, *, prefix: list[str]) -> None:
        self._stack = stack
        self.server = ServerProcess(data, friends_only=False, disturbances=True, within=prefix)
        stack.callback(self.server.stop)
        self.server.start()
        suffers = self.server.disturbances
        assert suffers is not None
        self.suffers = suffers

    def device(self, user: str, token: str, name: str = "phone") -> Device:
        endpoints = tuple(parse_target(f"chat+{url}") for url in self.server.tcp_urls)
        quick = Policy(next_endpoint_s=0.05, reconnect_base_s=0.1, reconnect_cap_s=0.2)
        return self._stack.enter_context(Device(endpoints, Identity(user, name, token), policy=quick))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    generate(tmp_path / "data", 3)
    return tmp_path / "data"


@pytest.fixture
def token(data: Path) -> Callable[..., str]:
    def make(user: str, ttl_s: float = 30 * 86400.0) -> str:
        file = data.parent / f"{user}.csv"
        tokens(data, [user], ttl_s, file)
        return file.read_text().strip().split(",")[1]

    return make


@pytest.fixture
def place(data: Path) -> Iterator[Callable[..., Place]]:
    with ExitStack() as stack:
        yield lambda prefix=(): Place(stack, data, prefix=list(prefix))


def _pair(place: Place, token: Callable[..., str]) -> tuple[Device, Device]:
    devices = place.device("u1", token("u1")), place.device("u2", token("u2"))
    for device in devices:
        device.log_in()
    return devices


def _refused(device: Device, body: bytes) -> events.Rejected:
    cid = device.send("u2", body)
    return device.await_event(events.Rejected, lambda event: event.cid == cid)


def test_a_slow_disk_holds_acknowledgements_up(
    place: Callable[..., Place], token: Callable[..., str]
) -> None:
    here = place()
    one, other = _pair(here, token)
    here.suffers.commit_delay_s = 0.5
    began = time.monotonic()
    one.send_and_await("u2", b"slow")
    assert time.monotonic() - began >= 0.5
    other.await_delivered(b"slow")


def test_on_a_full_disk_sends_are_refused_and_nothing_of_them_is_there(
    place: Callable[..., Place], token: Callable[..., str]
) -> None:
    here = place()
    one, other = _pair(here, token)
    here.suffers.disk_is_full = True
    assert _refused(one, b"refused").code == ErrorCode.OVERLOADED
    here.suffers.disk_is_full = False
    one.send_and_await("u2", b"stored")
    other.await_delivered(b"stored")
    assert [entry.body for entry in other.timeline()] == [b"stored"]


def test_on_a_file_system_without_space_it_is_the_same(
    data: Path, place: Callable[..., Place], token: Callable[..., str]
) -> None:
    secrets = {user: token(user) for user in ("u1", "u2")}
    with ExitStack() as stack:
        try:
            volume = stack.enter_context(Volume(data))
        except ChaosError as error:
            pytest.skip(f"needs a file system of its own: {error}")
        here = place(volume.prefix())
        one, other = _pair(here, secrets.__getitem__)
        one.send_and_await("u2", b"before")
        volume.fill()
        assert _refused(one, b"refused" * 100).code == ErrorCode.OVERLOADED
        volume.empty()
        one.send_and_await("u2", b"after")
        other.await_delivered(b"after")
        assert [entry.body for entry in other.timeline()] == [b"before", b"after"]
        here.server.kill()
        here.server.start()
        one.send_and_await("u2", b"kept")
        other.await_delivered(b"kept")
        here.server.stop()
    assert [entry.body for entry in other.timeline()] == [b"before", b"after", b"kept"]
    # What it held is in the folder now, for a server without a file system of its own.
    with ServerProcess(data, friends_only=False) as again:
        endpoints = tuple(parse_target(f"chat+{url}") for url in again.tcp_urls)
        with Device(endpoints, Identity("u2", "tablet", secrets["u2"])) as late:
            assert late.log_in().version == 3


def test_a_clock_that_is_stepped_leaves_ids_and_order_as_they_should_be(
    place: Callable[..., Place], token: Callable[..., str]
) -> None:
    here = place()
    one, other = _pair(here, token)
    sent = []
    for number, ahead_s in enumerate((0.0, HOUR_S, -HOUR_S, 0.0)):
        here.suffers.clock_ahead_s = ahead_s
        sent.append(one.send_and_await("u2", str(number).encode()))
        other.await_delivered(str(number).encode())
    assert [entry.body for entry in other.timeline()] == [b"0", b"1", b"2", b"3"]
    mids = [entry.mid for entry in other.timeline()]
    assert mids == sorted(set(mids)), "ids grow, whatever the clock does"
    assert [entry.sequence for entry in other.timeline()] == [1, 2, 3, 4]
    at_s = [entry.at_ms / 1000 for entry in other.timeline()]
    assert at_s[1] - at_s[0] > HOUR_S - 60, "it is the clock that was stepped"
    assert at_s[1] - at_s[2] > 2 * HOUR_S - 60


def test_tokens_go_by_the_stepped_clock(place: Callable[..., Place], token: Callable[..., str]) -> None:
    here = place()
    secret = token("u1", 600.0)
    here.suffers.clock_ahead_s = HOUR_S
    early = here.device("u1", secret).start()
    refused = early.await_event(events.Refused)
    assert "expired" in refused.text
    here.suffers.clock_ahead_s = 0.0
    here.device("u1", secret, "tablet").log_in()


def test_two_that_have_the_same_file_see_the_same(tmp_path: Path) -> None:
    ours = Disturbances.new(tmp_path / "file")
    theirs = Disturbances(tmp_path / "file")
    assert (theirs.commit_delay_s, theirs.disk_is_full, theirs.clock_ahead_s) == (0.0, False, 0.0)
    ours.commit_delay_s, ours.disk_is_full, ours.clock_ahead_s = 0.25, True, -5.0
    assert (theirs.commit_delay_s, theirs.disk_is_full, theirs.clock_ahead_s) == (0.25, True, -5.0)
    assert time.time() - theirs.clock() > 4.9
