"""Gaps, pulls and skips, by hand."""

from drivers import events
from drivers.events import CloseReason
from drivers.policy import Policy
from protocol.messages import LoggedIn, Pong, Pull, Pulled, Push, Pushed


def test_what_is_in_order_is_shown_and_acknowledged_together(by_hand, entry) -> None:
    hand = by_hand().online()
    hand.hear(entry(1), entry(2))
    assert hand.shown() == [1, 2]
    assert hand.said() == [Pushed(2)]


def test_what_comes_ahead_is_held_until_the_pull_brings_the_rest(by_hand, entry) -> None:
    hand = by_hand(version=3).online()
    hand.hear(entry(6))
    assert hand.shown() == []
    assert hand.all_of(events.GapFound) == [events.GapFound(3, 6)]
    assert hand.said() == [Pull(3, 500)]
    hand.hear(Pulled([entry(4), entry(5), entry(6)], 6, False))
    assert hand.shown() == [4, 5, 6]
    assert [event.via for event in hand.all_of(events.Delivered)] == ["pull", "pull", "push"]
    assert hand.said() == [Pushed(6)]
    assert not hand.client.has_gap


def test_what_was_only_reordered_costs_no_pull(by_hand, entry) -> None:
    hand = by_hand().online()
    hand.hear(entry(2), entry(1))
    assert hand.shown() == [1, 2]
    assert hand.all_of(events.GapFound) == []
    assert hand.said() == [Pushed(2)]


def test_a_repeat_is_kept_from_the_application_and_acknowledged_again(by_hand, entry) -> None:
    hand = by_hand(version=2).online()
    hand.hear(Push(2, 102, "ann:bob", 2, "bob", "text", b"", 0, attempt=3))
    assert hand.shown() == []
    assert hand.all_of(events.Repeated)[0].attempt == 3
    assert hand.said() == [Pushed(2)]


def test_a_page_that_says_there_is_more_is_followed_by_the_next_pull(by_hand, entry) -> None:
    hand = by_hand().online(newest=3)
    hand.hear(Pulled([entry(1), entry(2)], 3, True))
    assert hand.said() == [Pushed(2), Pull(2, 500)]
    hand.hear(Pulled([entry(3)], 3, False))
    assert hand.shown() == [1, 2, 3]
    assert len(hand.all_of(events.GapFound)) == 0  # it was found at the login


def test_a_pong_that_is_ahead_makes_the_client_pull(by_hand) -> None:
    hand = by_hand(version=4).online()
    hand.hear(Pong(7, 60))
    assert hand.said() == [Pull(4, 500)]


def test_an_unanswered_pull_is_repeated_with_growing_intervals(by_hand) -> None:
    hand = by_hand().online(newest=1)
    pulled_at = []
    for _ in range(4):
        while Pull(0, 500) not in hand.said():
            hand.run_to(hand.client.deadline)
        pulled_at.append(hand.now - 1000.0)
    assert pulled_at == [2.0, 6.0, 14.0, 30.0]


def test_a_gap_outlives_the_connection(by_hand, entry) -> None:
    hand = by_hand().online()
    hand.hear(entry(3))
    hand.said()
    hand.client.lost(CloseReason.RESET, "", hand.now)
    hand.connect()
    hand.said()
    hand.hear(LoggedIn("ann", 2, 3, 60, [], 0, "n"))
    assert hand.said() == [Pull(0, 500)]
    hand.hear(Pulled([entry(1), entry(2)], 3, False))
    assert hand.shown() == [1, 2, 3]


def test_what_several_pulls_do_not_bring_is_skipped_and_shown_once_if_it_comes_late(by_hand, entry) -> None:
    hand = by_hand(policy=Policy(pulls_before_skipping=3)).online(newest=3)
    hand.hear(entry(3))
    for _ in range(3):
        assert hand.all_of(events.GapSkipped) == []
        hand.hear(Pulled([entry(3)], 3, False))
        hand.run_to(hand.now + 9.0)
    assert hand.all_of(events.GapSkipped) == [events.GapSkipped(0, 2)]
    assert hand.shown() == [3]
    assert not hand.client.has_gap
    hand.hear(entry(2), entry(2))
    assert hand.shown() == [3, 2]
    assert hand.client.version == 3


def test_late_answers_to_earlier_pulls_skip_nothing(by_hand, entry) -> None:
    hand = by_hand(version=2).online(newest=4)
    for _ in range(9):
        hand.hear(Pulled([entry(1), entry(2)], 4, False))
        hand.run_to(hand.now + 2.0)
    assert hand.all_of(events.GapSkipped) == []


def test_several_barren_answers_at_once_skip_nothing(by_hand, entry) -> None:
    hand = by_hand(version=2).online(newest=4)
    hand.hear(*[Pulled([], 4, False)] * 9)
    assert hand.all_of(events.GapSkipped) == []
