"""Toxics without sockets: whatever the chunks, whenever they go, nothing gets lost or out of order."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.framing import Follower
from chaos.pipeline import Pipeline
from chaos.stage import End, Item, Place
from chaos.toxics import toxic_types

_GENTLE: dict[str, list[dict[str, Any]]] = {
    "noop": [{}],
    "latency": [{"latency": 30, "jitter": 20}, {"latency": 0}, {"latency": 5, "jitter": 50}],
    "bandwidth": [{"rate": 1}, {"rate": 0}, {"rate": 100}],
    "slow_close": [{"delay": 40}, {"delay": 0}],
    "slicer": [{"average_size": 5, "size_variation": 4, "delay": 2000}, {"average_size": 1}],
    "shared_bandwidth": [{"rate": 1}, {"rate": 100}],
    "frame_loss": [{"probability": 0.0}],
    "frame_duplicate": [{"probability": 0.0}],
    "frame_corrupt": [{"probability": 0.0}],
    "frame_reorder": [{"probability": 0.0}, {"probability": 0.0, "window": 1}],
    "frame_delay": [{"delay": 0}],
    "drop_first": [{"count": 0}],
}


def _stage(name: str, now: float = 0.0, key: str = "k", **attributes: Any) -> Any:
    type_ = toxic_types()[name]
    return type_.stage(type_.attributes(**attributes), Place(1, key, Follower()), now)


def _bytes(items: list[Item]) -> bytes:
    return b"".join(item for item in items if not isinstance(item, End))


_chains = st.lists(
    st.sampled_from([(name, index) for name, sets in _GENTLE.items() for index in range(len(sets))]),
    max_size=4,
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("feed"), st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("wait"), st.integers(0, 60)),
        st.tuples(st.just("remove"), st.integers(0, 3)),
        st.tuples(st.just("update"), st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans())),
    ),
    max_size=30,
)


@given(_chains, _steps, st.booleans())
def test_a_toxic_that_only_delays_loses_nothing_whenever_it_is_changed_or_removed(
    chain: list[tuple[str, int]], steps: list[tuple[str, Any]], ends: bool
) -> None:
    pipeline, now, sent = Pipeline(), 0.0, b""
    got: list[Item] = []
    keys: list[tuple[object, str]] = []
    for number, (name, index) in enumerate(chain):
        key = (number, name)
        pipeline.append(key, _stage(name, key=str(number), **_GENTLE[name][index]))
        keys.append((key, name))
    for step, value in steps:
        if step == "feed":
            sent += value
            got += pipeline.feed(value, now)
        elif step == "wait":
            now += value / 1000
            got += pipeline.tick(now)
        elif step == "remove" and value < len(keys):
            got += pipeline.remove(keys.pop(value)[0], now)
        elif step == "update" and value[0] < len(keys):
            key, name = keys[value[0]]
            sets = _GENTLE[name]
            attributes = toxic_types()[name].attributes(**sets[value[1] % len(sets)])
            got += pipeline.update(key, attributes, value[2], now)
        assert sent.startswith(_bytes(got)), "in order, nothing twice"
    if ends:
        got += pipeline.end(End.EOF, now)
    for key, _ in keys:
        got += pipeline.remove(key, now)
    assert _bytes(got) == sent, "nothing is left behind"
    assert [item for item in got if isinstance(item, End)] == ([End.EOF] if ends else [])
    assert not ends or got[-1] is End.EOF


@given(_chains, st.lists(st.binary(min_size=1, max_size=40), max_size=10))
def test_everything_comes_by_itself_in_time_unless_the_rate_is_zero(
    chain: list[tuple[str, int]], chunks: list[bytes]
) -> None:
    chain = [each for each in chain if each != ("bandwidth", 1)]
    pipeline, now = Pipeline(), 0.0
    for number, (name, index) in enumerate(chain):
        pipeline.append(number, _stage(name, key=str(number), **_GENTLE[name][index]))
    got: list[Item] = []
    for chunk in chunks:
        got += pipeline.feed(chunk, now)
    got += pipeline.end(End.EOF, now)
    while (due := pipeline.wake_at) is not None:
        assert due >= now, "time goes on"
        now = due
        got += pipeline.tick(now)
    assert _bytes(got) == b"".join(chunks)
    assert got[-1] is End.EOF


def _timeline(stage: Any, *fed: tuple[float, bytes | End]) -> list[tuple[float, Item]]:
    """When what leaves `stage`, fed at these times and called whenever it asks to be."""
    pipeline = Pipeline()
    pipeline.append("k", stage)
    left: list[tuple[float, Item]] = []
    waiting = list(fed)
    while True:
        due = pipeline.wake_at
        if waiting and (due is None or waiting[0][0] < due):
            now, item = waiting.pop(0)
            out = pipeline.end(item, now) if isinstance(item, End) else pipeline.feed(item, now)
        elif due is not None:
            now, out = due, pipeline.tick(due)
        else:
            return left
        left += [(round(now, 6), item) for item in out]


def test_latency_is_counted_from_when_each_chunk_came() -> None:
    stage = _stage("latency", latency=100)
    assert _timeline(stage, (0, b"a"), (0.05, b"b"), (0.06, End.EOF)) == [
        (0.1, b"a"),
        (0.15, b"b"),
        (0.15, End.EOF),
    ]


def test_the_end_is_not_delayed_by_latency() -> None:
    assert _timeline(_stage("latency", latency=100), (1, End.EOF)) == [(1, End.EOF)]


def test_a_negative_latency_waits_for_nothing() -> None:
    assert _timeline(_stage("latency", latency=-100), (1, b"a")) == [(1, b"a")]


def test_an_update_of_latency_releases_the_head_and_recounts_the_rest() -> None:
    stage, out = _stage("latency", latency=1000), []
    for at, data in ((0.0, b"a"), (0.1, b"b"), (0.2, b"c")):
        stage.feed(data, at, out)
    stage.update(dataclasses.replace(stage.attributes, latency=150), 0.3, out)
    assert (out, round(stage.wake_at, 6)) == ([b"a", b"b"], 0.35)


def test_jitter_stays_within_its_bounds_and_keeps_order() -> None:
    stage = _stage("latency", latency=100, jitter=50)
    fed = [(index / 100, bytes([index])) for index in range(100)]
    left = _timeline(stage, *fed)
    assert [item for _, item in left] == [data for _, data in fed]
    delays = [at - came for (at, _), (came, _) in zip(left, fed, strict=True)]
    assert min(delays) >= 0.05
    assert max(delays) <= 0.15
    assert len({round(delay, 3) for delay in delays}) > 10


def test_bandwidth_cuts_large_chunks_into_tenths_of_a_second() -> None:
    left = _timeline(_stage("bandwidth", rate=100), (0, bytes(25_000)), (0, End.EOF))
    assert [(at, len(item) if isinstance(item, bytes) else item) for at, item in left] == [
        (0.1, 10_000),
        (0.2, 10_000),
        (0.25, 5_000),
        (0.25, End.EOF),
    ]


def test_many_small_chunks_add_up_to_the_rate() -> None:
    left = _timeline(_stage("bandwidth", rate=1), *[(0, b"x" * 10)] * 100)
    assert [at for at, _ in left] == [round(index / 100, 6) for index in range(1, 101)]


def test_a_late_wake_up_catches_up_with_the_rate() -> None:
    stage, out = _stage("bandwidth", rate=1), []
    for _ in range(10):
        stage.feed(b"x" * 10, 0.0, out)
    stage.tick(0.055, out)
    assert (len(out), round(stage.wake_at, 6)) == (5, 0.06)


def test_rate_zero_stalls_and_lets_an_idle_end_pass() -> None:
    assert _timeline(_stage("bandwidth", rate=0), (0, b"a"), (1, End.EOF)) == []
    assert _timeline(_stage("bandwidth", rate=0), (1, End.EOF)) == [(1, End.EOF)]


def test_a_stalled_stage_asks_for_no_more_than_it_may_hold() -> None:
    pipeline = Pipeline()
    pipeline.append("k", _stage("bandwidth", rate=0))
    pipeline.feed(bytes(60_000), 0)
    assert not pipeline.full
    pipeline.feed(bytes(10_000), 0)
    assert pipeline.full


def test_the_pieces_of_the_slicer_have_at_least_one_byte_and_a_variation_may_equal_the_size() -> None:
    left = _timeline(_stage("slicer", average_size=2, size_variation=2), (0, bytes(range(100))))
    assert b"".join(item for _, item in left if isinstance(item, bytes)) == bytes(range(100))
    assert {len(item) for _, item in left if isinstance(item, bytes)} <= {1, 2, 3, 4}


def test_what_all_connections_share_they_take_turns_for() -> None:
    common: dict[type, object] = {}
    type_ = toxic_types()["shared_bandwidth"]
    pipelines = [Pipeline() for _ in range(2)]
    for pipeline in pipelines:
        place = Place(1, "k", Follower(), None, common)
        pipeline.append("k", type_.stage(type_.attributes(rate=1), place, 0.0))
        assert pipeline.feed(bytes(20), 0.0) == []
    left: list[tuple[float, int, int]] = []
    while dues := [due for each in pipelines if (due := each.wake_at) is not None]:
        now = min(dues)
        for number, pipeline in enumerate(pipelines):
            left += [(round(now, 6), number, len(item)) for item in pipeline.tick(now)]
    assert left == [(0.01, 0, 10), (0.02, 1, 10), (0.03, 0, 10), (0.04, 1, 10)], "1 KB/s in all"


def test_a_late_wake_up_catches_up_with_the_shared_rate() -> None:
    pipeline = Pipeline()
    pipeline.append("k", _stage("shared_bandwidth", rate=1))
    pipeline.feed(bytes(100), 0.0)
    assert len(_bytes(pipeline.tick(0.055))) == 50


@pytest.mark.parametrize("name", ["bandwidth", "shared_bandwidth"])
def test_a_stage_that_has_drained_asks_for_more_again(name: str) -> None:
    pipeline = Pipeline()
    pipeline.append("k", _stage(name, rate=1000))
    pipeline.feed(bytes(70_000), 0)
    assert pipeline.full
    assert len(_bytes(pipeline.tick(60.0))) == 70_000
    assert not pipeline.full


def test_slow_close_holds_the_end_only() -> None:
    stage = _stage("slow_close", delay=500)
    assert _timeline(stage, (0, b"a"), (1, End.EOF)) == [(0, b"a"), (1.5, End.EOF)]


def test_an_update_of_slow_close_waits_the_full_new_delay() -> None:
    stage, out = _stage("slow_close", delay=500), []
    stage.end(End.EOF, 1.0, out)
    stage.update(dataclasses.replace(stage.attributes, delay=700), 1.4, out)
    assert (out, round(stage.wake_at, 6)) == ([], 2.1)


def test_timeout_drops_and_closes_after_a_while_without_data() -> None:
    fed = [(index * 0.2, b"x") for index in range(5)]
    assert _timeline(_stage("timeout", timeout=400), *fed) == [(1.2, End.EOF)]


def test_timeout_zero_never_closes_but_the_end_passes() -> None:
    assert _timeline(_stage("timeout"), (0, b"x")) == []
    assert _timeline(_stage("timeout"), (0, b"x"), (1, End.EOF)) == [(1, End.EOF)]


def test_removing_timeout_ends_the_stream_even_where_toxicity_spared_it() -> None:
    for active in (True, False):
        pipeline, stage = Pipeline(), _stage("timeout")
        stage.active = active
        pipeline.append("k", stage)
        assert pipeline.remove("k", 0) == [End.EOF]


def test_reset_peer_waits_for_the_first_chunk_and_drops_it() -> None:
    assert _timeline(_stage("reset_peer", timeout=300)) == []
    assert _timeline(_stage("reset_peer", timeout=300), (1, b"x"), (1.1, b"y")) == [(1.3, End.RESET)]
    assert _timeline(_stage("reset_peer"), (1, End.EOF)) == [(1, End.RESET)]


def test_reset_peer_that_saw_something_resets_even_when_removed() -> None:
    pipeline = Pipeline()
    pipeline.append("k", _stage("reset_peer", timeout=300))
    assert pipeline.feed(b"x", 0) == []
    assert pipeline.remove("k", 0.1) == [End.RESET]


def test_slicer_pauses_after_each_piece_and_keeps_to_its_sizes() -> None:
    stage = _stage("slicer", average_size=10, size_variation=5, delay=1000)
    left = _timeline(stage, (0, bytes(range(100))), (0, End.EOF))
    pieces = [item for _, item in left if isinstance(item, bytes)]
    assert b"".join(pieces) == bytes(range(100))
    assert all(5 <= len(piece) <= 15 for piece in pieces[:-1])
    assert left[-1] == (round(len(pieces) / 1000, 6), End.EOF)


def test_removing_the_slicer_lets_the_rest_go_in_one_piece() -> None:
    pipeline = Pipeline()
    pipeline.append("k", _stage("slicer", average_size=1, delay=1000))
    assert pipeline.feed(b"abcdef", 0) == [b"a"]
    assert pipeline.remove("k", 0) == [b"bcdef"]


def test_limit_data_passes_exactly_its_bytes_and_keeps_count_over_updates() -> None:
    pipeline, stage = Pipeline(), _stage("limit_data", bytes=10)
    pipeline.append("k", stage)
    assert pipeline.feed(b"1234567", 0) == [b"1234567"]
    pipeline.update("k", dataclasses.replace(stage.attributes, bytes=12), True, 0)
    assert pipeline.feed(b"890abcde", 0) == [b"890ab", End.EOF]


@pytest.mark.parametrize(("limit", "left"), [(0, [End.EOF]), (3, [b"abc", End.EOF]), (4, [b"abc"])])
def test_limit_data_ends_when_the_last_byte_is_through(limit: int, left: list[Item]) -> None:
    assert [item for _, item in _timeline(_stage("limit_data", bytes=limit), (0, b"abc"))] == left


def test_nothing_passes_where_a_removed_toxic_has_ended_the_stream() -> None:
    pipeline = Pipeline()
    pipeline.append("late", _stage("latency", latency=100))
    pipeline.append("limit", _stage("limit_data", bytes=1))
    pipeline.append("close", _stage("slow_close", delay=1000))
    pipeline.feed(b"a", 0.0)
    pipeline.feed(b"b", 0.05)
    assert pipeline.tick(0.1) == [b"a"]
    assert pipeline.ending
    assert pipeline.remove("limit", 0.11) == []
    assert pipeline.tick(0.2) == []
    assert pipeline.tick(2.0) == [End.EOF]


def test_two_latencies_add_up() -> None:
    pipeline = Pipeline()
    pipeline.append(1, _stage("latency", latency=150))
    pipeline.append(2, _stage("latency", latency=150))
    pipeline.feed(b"x", 0)
    assert pipeline.tick(0.15) == []
    assert pipeline.tick(0.3) == [b"x"]
