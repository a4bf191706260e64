import pytest

from drivers import events
from drivers.contract import AskRead, AskUnread, Outgoing, OutgoingPackage
from drivers.events import CloseReason
from protocol.errors import LocalProtocolError
from protocol.limits import MAX_FRAME_BODY_BYTES
from protocol.messages import (
    Error,
    GoAway,
    Item,
    LoggedIn,
    PackageSent,
    Placed,
    ReadUpdate,
    Send,
    SendPackage,
    Sent,
    Unread,
    UnreadCounts,
)


def outgoing(cid: str, to: str = "bob", body: bytes = b"") -> Outgoing:
    return Outgoing(cid, to, "text", body, 0)


def sent(cid: str, version: int) -> Sent:
    return Sent(cid, 100 + version, "ann:bob", version, version, 0)


def test_one_send_a_recipient_is_under_way_and_the_next_follows_its_answer(by_hand) -> None:
    hand = by_hand().online()
    for cid, to in (("1", "bob"), ("2", "bob"), ("3", "cid")):
        hand.client.send(outgoing(cid, to), hand.now)
    assert [message.cid for message in hand.said()] == ["1", "3"]
    hand.hear(sent("1", 1))
    assert [message.cid for message in hand.said()] == ["2"]
    hand.hear(Error(403, "no", "2"))
    assert hand.all_of(events.Rejected) == [events.Rejected("2", 403, "no")]
    assert hand.client.unfinished == 1


def test_an_unanswered_send_is_repeated_with_growing_intervals_and_the_same_cid(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    hand.client.send(outgoing("1"), hand.now)
    hand.run_to(hand.now + 47.0)
    assert hand.said() == [Send("1", "bob", "text", b"")] * 6  # at 0, 2, 6, 14, 30 and 46 s
    assert [event.attempt for event in hand.all_of(events.Retransmitted)] == [2, 3, 4, 5, 6]
    hand.hear(sent("1", 1), sent("1", 1))
    assert [(event.attempts, event.repeat) for event in hand.all_of(events.Acked)] == [(6, False), (0, True)]
    assert hand.shown() == [1]
    assert hand.client.unfinished == 0


def test_a_send_outlives_the_connection(by_hand) -> None:
    hand = by_hand()
    hand.client.send(outgoing("1"), hand.now)
    hand.online()
    hand.client.lost(CloseReason.RESET, "", hand.now)
    hand.connect()
    hand.client.take()
    hand.hear(LoggedIn("ann", 2, 0, 60, [], 0, "n"))
    assert hand.said() == [Send("1", "bob", "text", b"")]


def test_what_an_observer_sends_when_it_hears_of_the_login_goes_out_once(by_hand) -> None:
    hand = by_hand()

    def react(event: events.Event) -> None:
        if isinstance(event, events.LoggedIn):
            hand.client.send(outgoing("1"), hand.now)
            hand.client.ask(AskUnread(), hand.now)

    hand.react = react
    hand.connect()
    hand.client.take()
    hand.hear(LoggedIn("ann", 2, 0, 60, [], 0, "n"))
    assert hand.said() == [Send("1", "bob", "text", b""), Unread()]
    assert hand.all_of(events.Retransmitted) == []


def test_what_an_observer_sends_over_a_session_that_has_just_ended_waits_for_the_next(by_hand, entry) -> None:
    hand = by_hand().online()

    def react(event: events.Event) -> None:
        if isinstance(event, events.Delivered):
            hand.client.send(outgoing("1"), hand.now)

    hand.react = react
    hand.hear(entry(1), GoAway("draining"))
    assert hand.all_of(events.Rejected) == []
    hand.connect()
    hand.client.take()
    hand.hear(LoggedIn("ann", 2, 1, 60, [], 0, "n"))
    assert Send("1", "bob", "text", b"") in hand.said()


def test_what_no_frame_can_carry_is_rejected_here_and_the_next_goes_out(by_hand) -> None:
    hand = by_hand().online()
    hand.client.send(outgoing("1", body=bytes(MAX_FRAME_BODY_BYTES)), hand.now)
    hand.client.send(outgoing("2"), hand.now)
    assert [(event.cid, event.code) for event in hand.all_of(events.Rejected)] == [("1", 413)]
    assert [message.cid for message in hand.said()] == ["2"]


def test_one_cid_to_two_recipients_at_a_time_is_a_mistake_of_the_caller(by_hand) -> None:
    hand = by_hand().online()
    hand.client.send(outgoing("1", "bob"), hand.now)
    with pytest.raises(LocalProtocolError, match="under way to bob"):
        hand.client.send(outgoing("1", "cid"), hand.now)


def test_a_question_is_repeated_until_it_is_answered(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    hand.client.ask(AskUnread(), hand.now)
    hand.run_to(hand.now + 3.0)
    assert hand.said() == [Unread(), Unread()]
    hand.hear(UnreadCounts(0, []))
    assert hand.client.unfinished == 0


def test_an_older_read_of_another_device_does_not_answer_ours(by_hand) -> None:
    hand = by_hand().online()
    hand.client.ask(AskRead("ann:bob", 7), hand.now)
    hand.hear(ReadUpdate("ann:bob", 5, 2, 2))
    assert hand.client.unfinished == 1
    hand.hear(ReadUpdate("ann:bob", 8, 0, 0))
    assert hand.client.unfinished == 0


def test_an_error_without_a_cid_answers_the_oldest_question(by_hand) -> None:
    hand = by_hand().online()
    hand.client.ask(AskRead("ann:nobody", 1), hand.now)
    hand.client.ask(AskUnread(), hand.now)
    hand.hear(Error(404, "unknown"))
    assert [asked.question for asked in hand.client._outbox.asked] == [AskUnread()]


def test_who_is_told_to_wait_sends_nothing_before_and_goes_on_then(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    for cid, to in (("1", "bob"), ("2", "bob")):
        hand.client.send(outgoing(cid, to), hand.now)
    hand.said()
    began = hand.now
    hand.hear(Error(429, "retry_after_ms=5000", "1"))
    hand.client.send(outgoing("3", "cid"), hand.now)
    hand.run_to(began + 4.9)
    assert hand.said() == []
    hand.run_to(began + 5.1)
    assert [message.cid for message in hand.said()] == ["2", "3"]
    assert hand.all_of(events.Rejected) == [events.Rejected("1", 429, "retry_after_ms=5000", 5.0)]
    assert hand.all_of(events.Retransmitted) == []
    hand.hear(sent("2", 1), sent("3", 2))
    assert hand.client.unfinished == 0


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_copy_that_is_turned_away_for_now_says_nothing_about_the_other(by_hand, code: int) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    hand.client.send(outgoing("1"), hand.now)
    hand.run_to(hand.now + 60)
    copies = len(hand.said())
    assert copies > 1
    hand.hear(Error(code, "the store cannot take it now", "1"))
    assert hand.all_of(events.Rejected) == []
    hand.run_to(hand.now + 60)
    assert hand.said(), "it is asked again"
    hand.hear(sent("1", 1))
    assert hand.client.unfinished == 0
    assert len(hand.all_of(events.Acked)) == 1


def test_the_only_copy_that_is_turned_away_is_rejected(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    hand.client.send(outgoing("1"), hand.now)
    hand.said()
    hand.hear(Error(503, "the store cannot take it now", "1"))
    assert hand.all_of(events.Rejected) == [events.Rejected("1", 503, "the store cannot take it now")]


def test_being_told_to_wait_outlives_the_connection(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    hand.client.send(outgoing("1"), hand.now)
    hand.client.send(outgoing("2", "cid"), hand.now)
    hand.said()
    until = hand.now + 60.0
    hand.hear(Error(429, "retry_after_ms=60000", "1"))
    hand.client.lost(CloseReason.RESET, "", hand.now)
    hand.connect()
    hand.client.take()
    hand.hear(LoggedIn("ann", 2, 0, 3600, [], 0, "n"))
    hand.run_to(until - 0.1)
    assert hand.said() == []
    hand.run_to(until + 0.1)
    assert [message.cid for message in hand.said()] == ["2"]


ITEMS = (Item("text", b"one"), Item("text", b"two"), Item("text", b"three"))


def test_a_package_is_sent_until_answered_and_its_messages_are_shown_together(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    hand.client.send(OutgoingPackage("p", "bob", ITEMS), hand.now)
    hand.client.send(outgoing("2"), hand.now)
    hand.run_to(hand.now + 2.5)
    assert hand.said() == [SendPackage("p", "bob", list(ITEMS))] * 2  # the send to bob waits behind it
    answer = PackageSent("p", "ann:bob", [Placed(101, 7), Placed(102, 8), Placed(103, 9)], 3, 0)
    hand.hear(answer, answer)
    assert [(event.attempts, event.repeat) for event in hand.all_of(events.PackageAcked)] == [
        (2, False),
        (0, True),
    ]
    shown = [event.entry for event in hand.all_of(events.Delivered)]
    assert [(entry.version, entry.mid, entry.sequence, entry.body) for entry in shown] == [
        (1, 101, 7, b"one"), (2, 102, 8, b"two"), (3, 103, 9, b"three"),
    ]  # fmt: skip
    assert [message.cid for message in hand.said()] == ["2"]


def test_a_refused_package_is_not_sent_again(by_hand) -> None:
    hand = by_hand().online(heartbeat_s=3600)
    hand.client.send(OutgoingPackage("p", "bob", ITEMS), hand.now)
    hand.hear(Error(403, "no", "p"))
    hand.said()
    hand.run_to(hand.now + 60)
    assert hand.said() == []
    assert hand.all_of(events.Rejected) == [events.Rejected("p", 403, "no")]


def test_a_package_answered_with_too_few_places_shows_no_more_than_those(by_hand) -> None:
    hand = by_hand().online()
    hand.client.send(OutgoingPackage("p", "bob", ITEMS), hand.now)
    hand.hear(PackageSent("p", "ann:bob", [Placed(101, 7)], 1, 0))
    assert hand.shown() == [1]
