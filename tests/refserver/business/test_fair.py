"""Who asks for much waits behind themselves, not before others; what one user asked for stays in order."""

import math

import hypothesis.strategies as st
from hypothesis import given

from refserver.business.fair import FairQueue

ASKED = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5)), max_size=60)


def queue_of(asked: list[tuple[str, int]]) -> FairQueue:
    queue = FairQueue(lambda each: each[2])
    for number, (user, size_bytes) in enumerate(asked):
        queue.put(user, (user, number, size_bytes))
    return queue


@given(ASKED, st.integers(1, 8), st.integers(1, 4) | st.none(), st.integers(1, 12) | st.just(math.inf))
def test_everything_comes_once_in_each_users_order_and_within_the_bounds(asked, most, of_one, most_bytes):
    queue = queue_of(asked)
    came = []
    while len(queue):
        turn = queue.take(most, of_one=of_one, most_bytes=most_bytes)
        assert 0 < len(turn) <= most
        assert turn == sorted(turn, key=lambda each: each[1]), "a turn is in order of arrival"
        if of_one is not None:
            assert all([each[0] for each in turn].count(user) <= of_one for user in "abcd")
        sizes = [each[2] for each in turn]
        assert sum(sizes) - max(sizes) < most_bytes
        came += turn
    assert len(came) == len(asked)
    for user in "abcd":
        expected = [number for number, (who, _) in enumerate(asked) if who == user]
        assert [each[1] for each in came if each[0] == user] == expected


@given(ASKED.filter(bool))
def test_what_is_put_back_comes_first_and_in_its_order(asked):
    queue = queue_of(asked)
    turn = queue.take(10)
    kept, returned = turn[: len(turn) // 2], turn[len(turn) // 2 :]
    for each in reversed(returned):
        queue.put_back(each[0], each)
    assert len(queue) == len(asked) - len(kept)
    assert queue.take(len(asked))[: len(returned)] == returned


def test_a_user_who_asks_once_is_in_the_next_turn_whatever_others_asked_for():
    queue = queue_of([("a", 5)] * 1000 + [("b", 5)])
    assert ("b", 1000, 5) in queue.take(4)
    queue.put("b", ("b", 1001, 5))
    assert ("b", 1001, 5) in queue.take(512, most_bytes=10)


def test_nothing_is_taken_from_an_empty_queue():
    assert queue_of([]).take(5) == []
