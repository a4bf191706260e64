"""ROM.3: ten thousand missed messages come in a few large packages, compressed, and can be interrupted."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from conformance.accounts import Block, User
from conformance.carriers import on_a_connection
from conformance.clients import Clients, MakeDevice, MakePhone, MakeWire
from conformance.packages import package, package_answer
from conformance.phone import fresh_cid
from drivers.events import GapSkipped, Repeated
from drivers.pumps.wire import Expected
from protocol.errors import RemoteProtocolError
from protocol.limits import FEATURE_ZSTD, FLAG_COMPRESSED, HEADER_BYTES, MAX_PACKAGE_ITEMS
from protocol.messages import Error, LoggedIn, Login, Message, Pull, Pulled

pytestmark = pytest.mark.clause("ROM.3")

MISSED = 10_000
ROUND_TRIPS = 20


@dataclass(frozen=True, slots=True)
class Backlog:
    """A user with `bodies` in the inbox, versions 1 to MISSED; no device of his has ever logged in."""

    owner: User
    bodies: list[bytes]


@pytest.fixture(scope="module")
def backlog(take_block: Callable[[], Block], lasting_clients: Clients) -> Backlog:
    owner, friend = take_block().pick(2)
    source = lasting_clients.phone(friend)
    bodies = [
        f"{number:05} while you were away, like many a message before it".encode() for number in range(MISSED)
    ]
    for start in range(0, MISSED, 10 * MAX_PACKAGE_ITEMS):
        parts = [
            package(fresh_cid(), owner.user, bodies[at : at + MAX_PACKAGE_ITEMS])
            for at in range(start, start + 10 * MAX_PACKAGE_ITEMS, MAX_PACKAGE_ITEMS)
        ]
        source.wire.send(*parts)
        for part in parts:
            answer = package_answer(source, part.cid)
            if isinstance(answer, Error):
                raise Expected(f"a package of {MAX_PACKAGE_ITEMS}: expected PACKAGE_SENT, got {answer}")
    return Backlog(owner, bodies)


class Line:
    """A logged-in connection that sees frames as they are: compressed or not, and how large."""

    def __init__(self, wire: MakeWire, user: User, device: str, features: list[str]) -> None:
        self._frames: list[bytes] = []
        self._wire = wire(compression=FEATURE_ZSTD in features, hear=self._hear)
        self._wire.send(Login(user.token, device, "conformance", 0, 60, features))
        self.features = self._wire.expect(LoggedIn).features

    def pull(self, after: int, limit: int) -> tuple[Pulled, bool, int]:
        """A page, whether it came compressed, and the bytes of its body as sent."""
        self._wire.send(Pull(after, limit))
        page = self._wire.expect(Pulled)
        frame = self._frames.pop(0)
        return page, bool(frame[2] & FLAG_COMPRESSED), len(frame) - HEADER_BYTES

    def _hear(self, direction: str, frame: bytes) -> None:
        if direction == "down" and frame[1] == Pulled.TYPE:
            self._frames.append(frame)


MakeLine = Callable[[User, list[str]], Line]


@pytest.fixture
def line(wire: MakeWire) -> MakeLine:
    numbers = itertools.count()
    return lambda user, features: Line(wire, user, f"line-{next(numbers)}", features)


def test_ten_thousand_take_at_most_twenty_round_trips(backlog: Backlog, phone: MakePhone) -> None:
    """A backlog comes as packages: 10,000 missed messages take at most 20 round trips.

    A new device pulls page after page, with the largest limit. Expected: all 10,000, each once and in
    order, with at most 20 pulls; `newest` says how many there are, and `more` is true until the last page.
    """
    new = phone(backlog.owner, "new")
    entries: list[bytes] = []
    for trip in itertools.count(1):
        page = new.pull(len(entries), 1000)
        versions = [entry.version for entry in page.entries]
        wanted = list(range(len(entries) + 1, len(entries) + len(versions) + 1))
        assert versions == wanted, f"pull {trip}: expected versions without holes after {len(entries)}"
        assert page.newest == MISSED, f"pull {trip}: expected newest {MISSED}, got {page.newest}"
        entries += [entry.body for entry in page.entries]
        assert page.more == (len(entries) < MISSED), (
            f"pull {trip}, {len(entries)} of {MISSED} pulled: expected `more` to say so, got {page.more}"
        )
        if not page.more:
            break
        assert trip < ROUND_TRIPS, f"expected {MISSED} messages in {ROUND_TRIPS} pulls, got {len(entries)}"
    assert entries == backlog.bodies, "expected the messages in the order in which they were sent"


def test_a_client_catches_up_in_twenty_round_trips(backlog: Backlog, device: MakeDevice) -> None:
    """... 10,000 missed messages take at most 20 round trips: for the client that an app has.

    A client logs in for the first time and catches up by itself. Expected: it sends at most 20 pulls and
    shows all 10,000, in order.
    """
    new = device(backlog.owner, "app", pull_limit=1000, retransmit_start_s=10.0)
    pulls: list[int] = []

    def count(direction: str, message: Message) -> bool:
        if isinstance(message, Pull):
            pulls.append(message.after)
        return False

    new.lose = count
    new.log_in()
    new.await_version(MISSED, timeout_s=20)
    assert len(pulls) <= ROUND_TRIPS, f"expected at most {ROUND_TRIPS} pulls, the client sent {len(pulls)}"
    shown = [entry.body for entry in new.timeline()]
    assert shown == backlog.bodies, "expected all messages, each once, in order"


@on_a_connection("over polls pages are JSON, and no frame is compressed")
def test_the_package_is_compressed_for_who_offers_it(backlog: Backlog, line: MakeLine) -> None:
    """... the package is compressed when the client offers it.

    Two connections pull the same thousand messages; one offers zstd, among features that nobody knows.
    Expected: LOGGED_IN confirms zstd, and only it; the page comes compressed, at half the size or less.
    """
    offering = line(backlog.owner, ["x-unknown", FEATURE_ZSTD])
    plain = line(backlog.owner, [])
    assert offering.features == [FEATURE_ZSTD], f"expected zstd to be confirmed, got {offering.features}"
    small, compressed, small_bytes = offering.pull(0, 1000)
    large, _, large_bytes = plain.pull(0, 1000)
    assert compressed, "expected a compressed page for who offered zstd, it came as it is"
    assert small.entries == large.entries, "expected the same messages in both pages"
    assert small_bytes * 2 <= large_bytes, (
        f"expected at most half of {large_bytes} bytes for a page of much the same, got {small_bytes}"
    )
    for after in (1000, 5000):
        assert offering.pull(after, 1000)[1], f"expected a compressed page after {after} as well"


@pytest.mark.parametrize("features", [[], ["gzip"]], ids=["nothing offered", "something else offered"])
@on_a_connection("over polls pages are JSON, and no frame is compressed")
def test_who_does_not_offer_it_gets_plain_packages(
    backlog: Backlog, line: MakeLine, features: list[str]
) -> None:
    """... compressed when the client offers it: and only then, or it could not be read.

    A connection that did not offer zstd pulls large pages. Expected: LOGGED_IN does not confirm it; no page
    is marked as compressed.
    """
    plain = line(backlog.owner, features)
    assert FEATURE_ZSTD not in plain.features, f"expected zstd not to be confirmed, got {plain.features}"
    try:
        for after in (0, 5000, MISSED - 10):
            page, compressed, _ = plain.pull(after, 1000)
            assert not compressed, "expected a page as it is for who did not offer zstd"
            assert page.entries[0].version == after + 1, f"expected the page after {after}"
    except RemoteProtocolError as error:
        raise Expected(f"expected a page that a client without zstd can read: {error}") from error


def test_an_interrupted_pull_resumes_where_the_device_says(backlog: Backlog, phone: MakePhone) -> None:
    """... an interrupted pull resumes without loss or repeat.

    A device pulls; its connection ends at odd moments: after an answer that it kept, after one that it
    lost, with a pull on its way; once it comes back with less than it had been sent. Expected: each time
    the first page after its version begins just behind it; put together, all 10,000 are there once.
    """
    held: list[bytes] = []

    def resume(pages: int, limit: int) -> None:
        one = phone(backlog.owner, "interrupted", version=len(held))
        for _ in range(pages):
            page = one.pull(len(held), limit)
            first = page.entries[0].version
            assert first == len(held) + 1, (
                f"resuming after {len(held)}: expected {len(held) + 1}, got {first}"
            )
            held.extend(entry.body for entry in page.entries)
        one.acknowledge(len(held))
        one.wire.send(Pull(len(held), limit))
        one.hang_up()

    resume(2, 700)
    resume(1, 333)
    lost = phone(backlog.owner, "interrupted", version=len(held))
    lost.pull(len(held), 900)
    lost.hang_up()
    resume(2, 900)
    del held[-1000:]
    resume(3, 500)
    while len(held) < MISSED:
        resume(1, 1000)
    assert held == backlog.bodies, "expected every message once and in order after all interruptions"


def test_a_client_that_is_cut_off_goes_on(backlog: Backlog, device: MakeDevice) -> None:
    """... resumes without loss or repeat: seen by the application.

    A client's connection is reset three times while it catches up. Expected: it shows all 10,000 once and
    in order, skipped none, and was sent nothing again that it had shown.
    """
    new = device(backlog.owner, "cut off", pull_limit=500, reconnect_base_s=0.05, retransmit_start_s=5.0)
    new.log_in()
    for version in (1500, 4000, 8000):
        new.await_version(version, timeout_s=20)
        new.cut()
    new.await_version(MISSED, timeout_s=20)
    shown = [entry.body for entry in new.timeline()]
    assert shown == backlog.bodies, "expected all messages, each once, in order"
    assert not new.all_of(GapSkipped), "expected no message to stay missing"
    again = [event.entry.version for event in new.all_of(Repeated)]
    assert not again, f"expected nothing to come again, got versions {again[:10]}"
