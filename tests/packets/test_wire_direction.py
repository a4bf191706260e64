"""One direction of the wire, without devices and clock."""

import itertools
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from chaos.packets.damage import checksum, payload_at
from chaos.packets.impairment import Impairment, combined
from chaos.packets.wire import Direction

_MS = 1_000_000
_COUNT = 20_000


def _numbers(direction: Direction, count: int, gap_ns: int) -> list[tuple[int, int]]:
    """When each left, and its number, of packets that come `gap_ns` apart."""
    left: list[tuple[int, int]] = []

    def leave(until_ns: int) -> None:
        while (at_ns := direction.next_ns) is not None and at_ns <= until_ns:
            left.extend((at_ns, int.from_bytes(packet, "big")) for packet in direction.due(at_ns))

    for number in range(count):
        now_ns = number * gap_ns
        leave(now_ns)
        if direction.take(number.to_bytes(8, "big"), now_ns):
            left.append((now_ns, number))
    leave(1 << 62)
    return left


def _impaired(seed: int = 1, **asked: float) -> Direction:
    direction = Direction(seed, "upstream")
    direction.change(Impairment(**asked))
    return direction


def test_without_impairment_everything_leaves_as_it_came() -> None:
    assert _numbers(_impaired(), 100, _MS) == [(number * _MS, number) for number in range(100)]


def test_the_same_seed_loses_the_same_packets_and_another_seed_others() -> None:
    first, again, other = (_numbers(_impaired(seed, loss=0.1), 1000, _MS) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_else_is_asked_for_does_not_decide_which_packets_are_lost() -> None:
    alone = {number for _, number in _numbers(_impaired(loss=0.1), 1000, _MS)}
    among = {number for _, number in _numbers(_impaired(loss=0.1, duplicate=0.3, reorder=0.2), 1000, _MS)}
    assert alone == among


def test_both_directions_have_dice_of_their_own() -> None:
    up, down = Direction(1, "upstream"), Direction(1, "downstream")
    up.change(Impairment(loss=0.1))
    down.change(Impairment(loss=0.1))
    assert _numbers(up, 1000, _MS) != _numbers(down, 1000, _MS)


@given(share=st.sampled_from([0.01, 0.05, 0.2]), seed=st.integers(0, 50))
def test_as_many_are_lost_as_was_asked(share: float, seed: int) -> None:
    lost = _COUNT - len(_numbers(_impaired(seed, loss=share), _COUNT, 1))
    # Five standard deviations of a binomial distribution.
    assert abs(lost - _COUNT * share) < 5 * (_COUNT * share * (1 - share)) ** 0.5


def test_delay_and_jitter_keep_the_order() -> None:
    left = _numbers(_impaired(delay_ms=50, jitter_ms=50), 1000, _MS)
    assert [number for _, number in left] == list(range(1000))
    late_ms = [(at_ns - number * _MS) / _MS for at_ns, number in left]
    assert 0 <= min(late_ms) < max(late_ms) <= 100


def test_a_delay_that_ends_lets_nothing_overtake() -> None:
    direction = _impaired(delay_ms=50)
    direction.take(b"\1", 0)
    direction.change(Impairment())
    assert not direction.take(b"\2", 1 * _MS)
    assert direction.due(49 * _MS) == []
    assert direction.due(50 * _MS) == [b"\1", b"\2"]


def test_a_reordered_packet_alone_is_late() -> None:
    left = _numbers(_impaired(reorder=0.1, hold_ms=5), 1000, _MS)
    late = {number for at_ns, number in left if at_ns != number * _MS}
    assert sorted(number for _, number in left) == list(range(1000))
    assert {at_ns - number * _MS for at_ns, number in left if number in late} == {5 * _MS}
    assert 50 < len(late) < 150


def test_a_duplicate_follows_at_once() -> None:
    left = _numbers(_impaired(duplicate=0.1), 1000, _MS)
    twice = [number for (_, number), (_, next_) in itertools.pairwise(left) if number == next_]
    assert len(left) == 1000 + len(twice)
    assert 50 < len(twice) < 150


def test_no_more_passes_than_the_rate_and_the_queue_has_an_end() -> None:
    direction = _impaired(rate_bytes_s=100_000)
    for _ in range(2000):
        direction.take(bytes(1000), 0)
    passed = sum(len(packet) for packet in direction.due(300 * _MS))
    assert passed == 30_000
    assert 0 < direction.counts["overflowed"] < 2000
    assert direction.due(1 << 62)
    assert sum(direction.counts[name] for name in ("packets",)) == 2000


def _tcp(payload: bytes) -> bytes:
    body = pack("!HHIIBBHHH", 5000, 14000, 1, 2, 5 << 4, 0x18, 1000, 0, 0) + payload
    header = pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 7, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    packet = bytearray(header + body)
    packet[36:38] = checksum(packet, 20, 6).to_bytes(2, "big")
    return bytes(packet)


@given(payload=st.binary(min_size=1, max_size=300), seed=st.integers(0, 1000))
def test_damage_is_one_bit_of_the_payload_that_the_checksum_shows(payload: bytes, seed: int) -> None:
    packet = _tcp(payload)
    assert checksum(packet, 20, 6) == 0, "a checksum over a packet with its checksum is nothing"
    direction = _impaired(seed, corrupt=1.0)
    direction.take(packet, 0)
    (damaged,) = direction.due(0)
    assert damaged[:40] == packet[:40]
    wrong = int.from_bytes(damaged, "big") ^ int.from_bytes(packet, "big")
    assert wrong.bit_count() == 1
    assert checksum(damaged, 20, 6) != 0


@given(payload=st.binary(min_size=1, max_size=300), seed=st.integers(0, 1000))
def test_unnoticed_damage_has_a_checksum_that_fits(payload: bytes, seed: int) -> None:
    packet = _tcp(payload)
    direction = _impaired(seed, unnoticed=1.0)
    direction.take(packet, 0)
    (damaged,) = direction.due(0)
    assert damaged[40:] != packet[40:]
    assert checksum(damaged, 20, 6) == 0


@given(packet=st.binary(max_size=80))
def test_what_carries_nothing_that_we_know_is_left_alone(packet: bytes) -> None:
    direction = _impaired(corrupt=1.0)
    direction.take(packet, 0)
    (left,) = direction.due(0)
    assert len(left) == len(packet)
    if payload_at(packet) is None:
        assert left == packet


def test_impairments_add_up() -> None:
    both = combined([Impairment(loss=0.5, delay_ms=10), Impairment(loss=0.5, delay_ms=5, rate_bytes_s=9)])
    assert both == Impairment(loss=0.75, delay_ms=15, rate_bytes_s=9)
    assert combined([]) == Impairment()
    reordered = combined([Impairment(reorder=0.1, hold_ms=3), Impairment(rate_bytes_s=4)])
    assert (reordered.reorder, reordered.hold_ms, reordered.rate_bytes_s) == (0.09999999999999998, 3, 4)
