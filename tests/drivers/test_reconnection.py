import random
from collections import Counter

import pytest

from drivers import events
from drivers.client import State
from drivers.events import CloseReason
from drivers.policy import Policy
from protocol.messages import Bye, Error, GoAway, LoggedIn, Login


def port(hand) -> int:
    return hand.client.endpoint.port


@pytest.mark.parametrize("reachable", [0, 1, 2, 3])
@pytest.mark.parametrize("swallows", ["connection", "login"])
def test_with_three_of_four_ports_black_holed_the_fourth_is_reached_within_10_s(
    by_hand, reachable: int, swallows: str
) -> None:
    for seed in range(50):
        hand = by_hand(endpoints=4, policy=Policy(dice=random.Random(seed)))
        hand.client.start(hand.now)
        while port(hand) != reachable + 1:
            hand.client.dialled(hand.now)
            if swallows == "login":
                hand.client.connected(hand.now)
            while hand.client.state is not State.CONNECTING or hand.client.deadline < float("inf"):
                hand.run_to(hand.client.deadline)
        assert hand.now - 1000.0 < 9.0


def test_an_endpoint_that_works_is_kept(by_hand) -> None:
    hand = by_hand(endpoints=3).online()
    for _ in range(3):
        hand.client.lost(CloseReason.RESET, "", hand.now)
        assert port(hand) == 1
        hand.online()
    assert port(hand) == 1


def test_a_refused_port_is_left_for_the_next_at_once_and_rounds_are_spaced(by_hand) -> None:
    hand = by_hand(endpoints=2).online()
    hand.client.lost(CloseReason.RESET, "", hand.now)
    tried = []
    for _ in range(12):
        hand.run_to(hand.client.deadline)
        tried.append((hand.now, port(hand)))
        hand.client.connect_failed("refused", hand.now)
    assert [one for _, one in tried] == [1, 2] * 6
    within = [tried[i + 1][0] - tried[i][0] for i in range(0, 12, 2)]
    assert max(within) <= 0.2
    assert hand.client.failures == 12


def test_a_single_endpoint_gets_all_patience(by_hand) -> None:
    hand = by_hand()
    hand.client.start(hand.now)
    hand.client.dialled(hand.now)
    assert hand.client.deadline == hand.now + 5.0


@pytest.mark.parametrize("down_for_s", [0.0, 5.0, 8.0, 13.0, 25.0])
@pytest.mark.parametrize("endpoints", [1, 2, 4])
def test_2000_clients_that_lose_the_server_at_once_come_back_spread(
    by_hand, down_for_s: float, endpoints: int
) -> None:
    policy = Policy(dice=random.Random(3))
    back = []
    for _ in range(2000):
        hand = by_hand(endpoints=endpoints, policy=policy).online()
        hand.client.lost(CloseReason.RESET, "", 1000.0)
        while hand.client.state is State.WAITING:
            hand.run_to(hand.client.deadline)
            if hand.now < 1000.0 + down_for_s:
                hand.client.connect_failed("refused", hand.now)
        back.append(hand.now - 1000.0)
    busiest = max(sum(start <= at < start + 1.0 for at in back) for start in [n / 10 for n in range(600)])
    assert busiest < 500
    assert max(back) < 60.0


def test_a_server_that_drains_gets_its_wish_and_clients_with_the_same_wish_still_spread(by_hand) -> None:
    policy = Policy(dice=random.Random(3))
    waits = []
    for _ in range(200):
        hand = by_hand(policy=policy).online()
        hand.hear(GoAway("draining", 4000))
        assert hand.all_of(events.Closed) == [events.Closed(CloseReason.DRAINING, "draining", True)]
        waits.append(hand.client.deadline - hand.now)
    assert min(waits) >= 4.0
    assert max(Counter(int(wait) for wait in waits).values()) < 50


def test_a_server_that_drains_may_name_an_endpoint_that_is_known(by_hand) -> None:
    hand = by_hand(endpoints=3).online()
    hand.hear(GoAway("draining", 0, ["127.0.0.1:3"]))
    assert port(hand) == 3
    hand = by_hand(endpoints=3).online()
    hand.hear(GoAway("draining", 0, ["10.0.0.1:9"]))
    assert port(hand) == 2


@pytest.mark.parametrize("told", [GoAway("replaced"), Error(409, "login replaced", fatal=True)])
def test_a_replaced_device_stays_away_until_it_is_started(by_hand, told) -> None:
    hand = by_hand().online()
    hand.hear(told)
    assert hand.all_of(events.Closed)[0].reason is CloseReason.REPLACED
    assert hand.client.state is State.STOPPED
    assert hand.client.deadline == float("inf")
    hand.online()
    assert hand.client.state is State.ONLINE


def test_a_login_of_its_own_that_was_held_up_on_the_way_does_not_keep_a_device_away(by_hand) -> None:
    hand = by_hand()
    hand.connect()
    hand.client.lost(CloseReason.RESET, "", hand.now)
    hand.online()
    hand.hear(GoAway("replaced"))
    assert hand.client.state is State.WAITING
    hand.online()
    hand.hear(GoAway("replaced"))
    assert hand.client.state is State.STOPPED


def test_what_replaces_a_device_whose_logins_were_all_answered_is_another_client(by_hand) -> None:
    hand = by_hand().online()
    hand.client.lost(CloseReason.RESET, "", hand.now)
    hand.online()
    hand.hear(GoAway("replaced"))
    assert hand.client.state is State.STOPPED


def test_a_refused_login_is_final(by_hand) -> None:
    hand = by_hand()
    hand.connect()
    hand.hear(Error(401, "expired", fatal=True))
    assert [type(event) for event in hand.events] == [events.Opened, events.Refused, events.Closed]
    assert hand.client.state is State.STOPPED


def test_a_refusal_that_comes_when_the_time_for_a_login_is_over_says_nothing_about_the_token(by_hand) -> None:
    hand = by_hand()
    hand.connect()
    hand.now = hand.client.deadline + 5  # this process had other things to do, and so said nothing in time
    hand.hear(Error(401, "no LOGIN in time", fatal=True))
    assert hand.client.state is State.WAITING
    assert hand.all_of(events.Refused) == []
    (closed,) = hand.all_of(events.Closed)
    assert closed.reason is CloseReason.LOGIN_TIMEOUT
    hand.online()


@pytest.mark.parametrize(("text", "at_least"), [("busy, retry_after_ms 2500", 2.5), ("busy", 0.0)])
def test_a_login_that_comes_too_early_is_tried_again_when_the_server_says(by_hand, text, at_least) -> None:
    for seed in range(20):
        hand = by_hand(policy=Policy(dice=random.Random(seed)))
        hand.connect()
        hand.hear(Error(429, text, fatal=True))
        assert hand.client.state is State.WAITING
        assert hand.client.deadline - hand.now >= at_least


def test_leaving_says_goodbye_and_coming_back_at_once_waits_for_the_old_connection(by_hand) -> None:
    hand = by_hand().online()
    hand.client.link = 9
    hand.client.leave(hand.now)
    hand.client.start(hand.now)
    hand.client.tick(hand.now)
    assert hand.client.state is State.WAITING
    assert hand.said() == [Bye()]
    assert hand.client.take() == b""
    hand.client.link = -1
    hand.client.tick(hand.now)
    assert hand.client.state is State.CONNECTING


def test_a_connection_that_comes_up_after_the_client_left_is_not_used(by_hand) -> None:
    hand = by_hand()
    hand.client.start(hand.now)
    hand.client.dialled(hand.now)
    hand.client.leave(hand.now)
    hand.client.connected(hand.now)
    assert hand.client.state is State.STOPPED
    assert hand.events == []


@pytest.mark.parametrize("kind", [events.Closed, events.ConnectFailed, events.Opened, events.LoggedIn])
def test_an_observer_may_make_the_client_leave_whatever_it_hears(by_hand, kind) -> None:
    hand = by_hand()
    hand.react = lambda event: hand.client.leave(hand.now) if type(event) is kind else None
    hand.client.start(hand.now)
    hand.client.dialled(hand.now)
    if kind is events.ConnectFailed:
        hand.client.connect_failed("refused", hand.now)
    else:
        hand.client.connected(hand.now)
        hand.hear(LoggedIn("ann", 1, 5, 60, [], 0, "n"))
        hand.client.lost(CloseReason.EOF, "", hand.now)
    assert hand.client.state is State.STOPPED
    assert hand.client.deadline == float("inf")


def test_the_login_says_what_is_safe_on_the_device(by_hand) -> None:
    hand = by_hand(version=12)
    hand.connect()
    (login,) = hand.said()
    assert isinstance(login, Login)
    assert (login.version, login.device, login.token) == (12, "phone", "token of ann")


def test_what_was_read_together_with_what_made_the_client_leave_is_left_to_the_next_login(
    by_hand, entry
) -> None:
    hand = by_hand().online()
    hand.react = lambda event: hand.client.leave(hand.now) if isinstance(event, events.Delivered) else None
    hand.hear(entry(1), entry(2))
    assert hand.shown() == [1]
    assert hand.said() == [Bye()]
