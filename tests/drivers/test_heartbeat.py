import pytest

from drivers import events
from drivers.client import State
from drivers.events import CloseReason
from drivers.policy import Policy
from protocol.limits import silence_limit_s
from protocol.messages import LoggedIn, Login, Ping, Pong


@pytest.mark.parametrize("heartbeat_s", [1, 5, 60, 300, 3600])
def test_a_dead_server_is_noticed_in_time_after_several_tries(by_hand, heartbeat_s: int) -> None:
    hand = by_hand().online(heartbeat_s=heartbeat_s)
    pings = 0
    heard_at = hand.now
    while hand.client.state is State.ONLINE:
        hand.run_to(hand.client.deadline)
        pings += hand.said().count(Ping())
    closed = hand.all_of(events.Closed)[0]
    assert closed.reason is CloseReason.SILENCE
    assert silence_limit_s(heartbeat_s) <= hand.now - heard_at <= 1.5 * heartbeat_s + 2.0
    assert pings >= 3


@pytest.mark.parametrize("heartbeat_s", [1, 60, 300])
def test_a_server_that_answers_sees_a_frame_each_interval_and_is_never_given_up(
    by_hand, heartbeat_s: int
) -> None:
    hand = by_hand().online(heartbeat_s=heartbeat_s)
    last = hand.now
    for _ in range(50):
        while Ping() not in hand.said():
            hand.run_to(hand.client.deadline)
        assert hand.now - last <= heartbeat_s + 1e-6
        last = hand.now
        hand.now += 0.2
        hand.hear(Pong(0, heartbeat_s))
    count = len(hand.all_of(events.Beat))
    assert (count, len(hand.all_of(events.BeatSent)), hand.all_of(events.BeatMissed)) == (50, 50, [])
    assert hand.all_of(events.Closed) == []


def test_a_lost_ping_is_tried_again_well_before_the_server_loses_patience(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=60)
    hand.run_to(hand.client.deadline)
    assert hand.said() == [Ping()]
    hand.run_to(hand.now + 3.5)
    assert hand.said() == [Ping()]
    hand.hear(Pong(0, 60))
    assert hand.all_of(events.Beat) == [events.Beat(3.5, 1, 0)]


def test_a_stall_of_this_process_is_neither_silence_nor_a_burst(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=2)
    hand.now += 100.0
    hand.client.tick(hand.now)
    hand.client.tick(hand.now + 0.05)
    assert hand.client.state is State.ONLINE
    assert hand.said() == [Ping()]
    assert len(hand.all_of(events.BeatSent)) == 1
    assert hand.client.deadline >= hand.now + 0.5


def test_the_first_beats_of_many_who_log_in_together_are_spread_over_the_interval(by_hand) -> None:
    hand = by_hand()
    due = sorted(
        by_hand(policy=hand.policy).online(heartbeat_s=100).client.deadline - 1000.0 for _ in range(500)
    )
    assert due[0] >= 0.0
    assert due[-1] <= 100.0
    assert all(20 < sum(low <= d < low + 10 for d in due) < 90 for low in range(0, 100, 10))


def test_a_beat_out_of_turn_is_counted_and_not_missed_when_the_next_is_due_at_once(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=60)
    hand.run_to(hand.client.deadline - 0.01)
    hand.client.beat(hand.now)
    hand.run_to(hand.now + 0.02)
    hand.hear(Pong(0, 60))
    assert [type(event) for event in hand.events] == [events.BeatSent, events.Beat]


def test_the_interval_can_be_changed_on_a_live_connection(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=60)
    hand.client.beat(hand.now, 10)
    assert hand.said() == [Ping(10)]
    hand.hear(Pong(0, 10))
    assert hand.client.deadline == hand.now + 10


def test_a_server_without_an_interval_gets_the_one_that_was_asked_for(by_hand) -> None:
    hand = by_hand()
    hand.connect()
    hand.hear(LoggedIn("ann", 1, 0, 0, [], 0, "n"))
    hand.client.take()
    hand.run_to(hand.now + 61.0)
    assert hand.said()[:1] == [Ping()]
    assert len(hand.all_of(events.BeatSent)) == 1


def test_leaving_with_a_beat_under_way_is_no_miss(by_hand) -> None:
    hand = by_hand().online()
    hand.client.beat(hand.now)
    hand.client.leave(hand.now)
    assert hand.all_of(events.BeatMissed) == []
    assert len(hand.all_of(events.BeatAbandoned)) == 1


def lose_over_a_heartbeat(hand) -> Login:
    """A heartbeat gets no answer until the client gives the connection up; its next LOGIN."""
    while hand.client.state is State.ONLINE:
        hand.run_to(hand.client.deadline)
    hand.connect()
    (login,) = [message for message in hand.said() if isinstance(message, Login)]
    return login


def test_an_adaptive_client_halves_its_interval_until_connections_hold(by_hand) -> None:
    hand = by_hand(policy=Policy(heartbeat_s=240, adaptive_heartbeat=True)).online(heartbeat_s=240)
    asked = []
    for _ in range(9):
        asked.append(lose_over_a_heartbeat(hand).heartbeat_s)
        hand.hear(LoggedIn("ann", 1, 0, asked[-1], [], 0, "n"))
    assert asked == [120, 60, 30, 15, 7, 3, 1, 1, 1]


def test_an_adaptive_client_keeps_its_interval_when_something_else_ends_a_connection(by_hand) -> None:
    hand = by_hand(policy=Policy(heartbeat_s=240, adaptive_heartbeat=True)).online(heartbeat_s=240)
    hand.client.lost(CloseReason.RESET, "", hand.now)
    hand.connect()
    assert [message.heartbeat_s for message in hand.said()] == [240]


def test_others_keep_their_interval(by_hand) -> None:
    hand = by_hand(policy=Policy(heartbeat_s=240)).online(heartbeat_s=240)
    assert lose_over_a_heartbeat(hand).heartbeat_s == 240
