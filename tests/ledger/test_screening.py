"""A run that the screening clears as a whole; one thing that goes wrong in it is still found by its check."""

import pytest

from ledger.screening import screen

CLEAN = """
1.0 send      anna/1 a1
1.1 acked     anna/1 a1 seq=1 ver=1
1.2 delivered bo/1   a1 seq=1 ver=1 via=push
2.0 send      anna/1 a2
2.1 acked     anna/1 a2 seq=2 ver=2
2.2 delivered bo/1   a2 seq=2 ver=2 via=push
9.0 settled   anna/1 ver=2
9.0 settled   bo/1   ver=2
"""


def test_a_clean_run_leaves_nothing_to_look_at(history):
    screened = history(CLEAN).once(screen)
    assert screened.ok_by_fault == {-1: 2}
    for suspects in (screened.messages, screened.inboxes, screened.timelines, screened.places):
        assert suspects.is_empty()


@pytest.mark.parametrize(
    ("check", "figure", "changes"),
    [
        ("completeness", "lost", [("2.2 delivered", "2.2 repeated ")]),
        ("completeness", "version_holes", [("9.0 settled   bo/1   ver=2", "9.0 settled   bo/1   ver=3")]),
        ("completeness", "versions_reused", [("bo/1   a2 seq=2 ver=2", "bo/1   a2 seq=2 ver=1")]),
        ("ordering", "out_of_order", [("a1 seq=1", "a1 seq=3"), ("a1 seq=1", "a1 seq=3")]),
        ("ordering", "own_order_broken", [("a1 seq=1", "a1 seq=3"), ("a1 seq=1", "a1 seq=3")]),
        ("ordering", "disagreements", [("bo/1   a2 seq=2", "bo/1   a2 seq=1")]),
        ("ordering", "version_steps_back", [("bo/1   a1 seq=1 ver=1", "bo/1   a1 seq=1 ver=2"),
                                            ("bo/1   a2 seq=2 ver=2", "bo/1   a2 seq=2 ver=1")]),
    ],
)  # fmt: skip
def test_one_thing_that_goes_wrong_is_counted_once(judge, check, figure, changes):
    text = CLEAN
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    assert judge(check, text).figures[figure] == 1
