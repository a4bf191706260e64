import pytest

from ledger.result import Verdict

SENT = "1.1 acked anna/1 a1 seq=1 ver=1\n1.2 acked anna/1 a2 seq=2 ver=2\n"


def told(count, total=None):
    in_all = count if total is None else total
    return f"9.0 unread bo/1 seq={count}\n9.0 unread bo/1 in=total seq={in_all}\n"


def test_what_others_sent_and_the_user_did_not_read_is_unread(judge):
    result = judge("unread", SENT + told(2))
    assert result.verdict is Verdict.PASS
    assert (result.figures["compared"], result.figures["totals"]) == (2, 1)


def test_reading_lowers_the_count_and_an_older_point_changes_nothing(judge):
    read = "2.0 read bo/1 seq=1\n"
    assert judge("unread", SENT + read + told(1)).verdict is Verdict.PASS
    older = "3.0 read bo/1 seq=2\n4.0 read bo/1 seq=1\n"
    assert judge("unread", SENT + older + told(0)).verdict is Verdict.PASS


def test_a_read_counts_for_all_devices_of_the_user(judge):
    text = "1.1 acked bo/1 b1 seq=1 ver=1\n2.0 read anna/2 seq=1\n9.0 unread anna/1 seq=0\n"
    assert judge("unread", text).verdict is Verdict.PASS


def test_own_messages_do_not_count(judge):
    assert judge("unread", SENT + "9.0 unread anna/2 seq=0\n").verdict is Verdict.PASS


@pytest.mark.parametrize("count", [1, 3])
def test_a_count_that_is_off_fails_and_names_user_conversation_and_messages(judge, count):
    result = judge("unread", SENT + told(count))
    assert result.verdict is Verdict.FAIL
    assert (result.figures["wrong"], result.figures["wrong_totals"]) == (1, 0)
    assert result.witnesses[0].text == (
        f"bo/1 was told {count} unread in anna:bo, expected 2: "
        "message 1 of anna/1 (sequence 1), message 2 of anna/1 (sequence 2)"
    )


def test_a_conversation_left_out_counts_as_none(judge):
    result = judge("unread", SENT + "9.0 unread bo/1 in=total seq=0\n")
    assert (result.verdict, result.figures["wrong"]) == (Verdict.FAIL, 1)


def test_a_total_that_is_not_the_sum_fails(judge):
    result = judge("unread", SENT + told(2, total=3))
    assert (result.verdict, result.figures["wrong"], result.figures["wrong_totals"]) == (Verdict.FAIL, 0, 1)
    assert result.witnesses[0].text == "bo/1 was told 3 unread in all, its counts sum to 2"


@pytest.mark.parametrize(("count", "verdict"), [(2, "pass"), (3, "pass"), (4, "fail"), (1, "fail")])
def test_a_message_that_nobody_knows_of_may_count_or_not(judge, count, verdict):
    assert judge("unread", SENT + "3.0 send anna/1 a3\n" + told(count)).verdict == verdict


def test_a_message_that_was_turned_down_does_not_count(judge):
    turned_down = "3.0 send anna/1 a3\n3.1 rejected anna/1 a3 code=422\n"
    assert judge("unread", SENT + turned_down + told(3)).verdict is Verdict.FAIL


def test_conversations_with_messages_of_another_run_are_not_judged(judge):
    result = judge("unread", SENT + "0.5 delivered bo/1 - seq=7 code=-2\n" + told(9))
    assert (result.verdict, result.figures["not_judged"]) == (Verdict.PASS, 1)


def test_no_report_is_unknown(judge):
    assert not judge("unread", SENT).checked
