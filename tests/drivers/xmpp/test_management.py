"""Stream management: what a count proves, and what it does not."""

import pytest

from drivers.dialects.xmpp.management import Management
from protocol.errors import RemoteProtocolError


def _sent(*cids: str) -> Management:
    counts = Management(is_on=True)
    for cid in cids:
        counts.said(cid, "a:b")
    return counts


def _cids(settled: list[object]) -> list[str]:
    return [each.cid for each in settled]  # type: ignore[attr-defined]


def test_an_answer_settles_what_was_said_before_the_question() -> None:
    counts = _sent("1", "", "2")
    assert counts.wants_answer
    counts.asks()
    counts.said("3", "a:b")
    assert not counts.wants_answer, "one question at a time"
    assert _cids([*counts.answered("3")]) == ["1", "2"]
    assert counts.wants_answer, "the third is still to be asked about"


def test_an_answer_that_falls_short_settles_nothing_since_nobody_knows_which_is_missing() -> None:
    counts = _sent("1", "2")
    for _ in range(4):
        counts.asks()
        assert counts.answered("1") == []
    assert not counts.wants_answer, "asking on and on is no use"


def test_a_server_that_is_still_at_it_is_asked_again() -> None:
    counts = _sent("1", "2")
    counts.asks()
    assert counts.answered("0") == []
    counts.asks()
    assert _cids([*counts.answered("2")]) == ["1", "2"]


def test_a_stream_on_which_something_seems_swallowed_is_doubtful() -> None:
    counts = _sent("1", "2")
    counts.asks()
    assert not counts.is_doubtful
    counts.heard()
    assert counts.is_doubtful, "the answer should have come first"
    assert _cids([*counts.answered("2")]) == ["1", "2"]
    assert not counts.is_doubtful
    counts.said("3", "a:b")
    counts.asks()
    counts.answered("2")
    assert counts.is_doubtful, "an answer that falls short"


def test_a_count_proves_nothing_of_what_was_said_after_the_question() -> None:
    counts = _sent("1", "swallowed", "3")
    counts._asked_at = 1
    assert _cids([*counts.answered("2")]) == ["1"], "the second of two may be the third"
    assert counts.wants_answer


def test_a_count_that_nobody_asked_for_settles_all_or_nothing() -> None:
    counts = _sent("1", "2")
    assert counts.answered("1") == []
    assert not counts.is_doubtful, "a server that is still at it"
    assert _cids([*counts.answered("2")]) == ["1", "2"]


def test_a_resumption_settles_what_was_sent_when_all_of_it_was_handled() -> None:
    counts = _sent("1", "", "2")
    counts.asks()
    assert _cids([*counts.resumed("3")]) == ["1", "2"]


def test_a_resumption_settles_nothing_when_one_is_missing_since_it_may_be_any() -> None:
    counts = _sent("swallowed", "2")
    counts.asks()
    assert counts.resumed("1") == []
    assert not counts.wants_answer, "whoever holds them sends them anew"
    counts.said("swallowed", "a:b")
    counts.said("2", "a:b")
    counts.asks()
    assert _cids([*counts.answered("3")]) == ["swallowed", "2"], (
        "and counting goes on from what the server has"
    )


def test_counts_begin_anew_after_two_to_the_thirty_two() -> None:
    counts = _sent("1", "2")
    counts._sent = counts._confirmed = 2**32 - 1
    counts.said("last", "a:b")
    counts._unacknowledged = None
    counts.said("first", "a:b")
    counts.asks()
    assert _cids([*counts.answered("1")]) == ["first"]
    counts.handled = 2**32 - 1
    counts.heard()
    assert counts.handled == 0


@pytest.mark.parametrize("handled", [None, "", "-1", "x", "3", "4294967296", "²"])
def test_counts_that_cannot_be_are_refused(handled: str | None) -> None:
    with pytest.raises(RemoteProtocolError, match="stream management"):
        _sent("1", "2").answered(handled)


def test_something_else_may_answer_for_a_send() -> None:
    counts = _sent("1", "2")
    taken = counts.take("1")
    assert taken is not None
    assert taken.conversation == "a:b"
    assert counts.take("1") is None
