"""Pauses of the collector are counted while one looks, and no longer."""

import gc

import pytest

from reactor.pauses import Pauses


@pytest.fixture
def pauses():
    pauses = Pauses()
    yield pauses
    pauses.close()


def test_a_collection_is_a_pause_and_the_worst_is_told_once(pauses: Pauses) -> None:
    gc.collect()
    worst_s = pauses.take_worst_s()
    assert 0 < worst_s <= pauses.total_s
    gc.disable()
    try:
        assert pauses.take_worst_s() == 0
    finally:
        gc.enable()


def test_after_the_end_nothing_is_counted(pauses: Pauses) -> None:
    pauses.close()
    before_s = pauses.total_s
    gc.collect()
    assert pauses.total_s == before_s
    pauses.close()
