import pytest

from ledger.result import Verdict

FIRST = "1.1 acked anna/1 a1 seq=1 ver=1\n1.2 delivered bo/1 a1 seq=1 ver=1\n"
SECOND = "2.1 acked anna/1 a2 seq=2 ver=2\n2.2 delivered bo/1 a2 seq=2 ver=2\n"


def test_sequences_that_rise_on_every_device_pass(judge):
    result = judge("ordering", FIRST + SECOND)
    assert result.verdict is Verdict.PASS
    assert (result.figures["conversations"], result.figures["violations"]) == (1, 0)


def test_nothing_delivered_is_unknown(judge):
    result = judge("ordering", "1.0 send anna/1 a1")
    assert (result.verdict, result.checked) == (Verdict.UNKNOWN, False)


def test_a_lower_sequence_after_a_higher_one_fails_and_is_shown(judge):
    swapped = "1.2 delivered bo/1 a2 seq=2 ver=2\n1.3 delivered bo/1 a1 seq=1 ver=1\n"
    result = judge("ordering", swapped)
    assert result.verdict is Verdict.FAIL
    assert (result.figures["out_of_order"], result.figures["version_steps_back"]) == (1, 1)
    assert result.witnesses[0].text == "bo/1 in anna:bo: sequence 1 was shown after 2"
    assert [row["sequence"] for row in result.witnesses[0].rows] == [2, 1]


def test_conversations_are_ordered_apart(judge):
    other = "1.3 delivered bo/1 a2 seq=1 ver=2 in=g:all\n"
    result = judge("ordering", "1.2 delivered bo/1 a1 seq=5 ver=1\n" + other)
    assert (result.verdict, result.figures["conversations"]) == (Verdict.PASS, 2)


def test_an_inbox_version_that_steps_back_across_conversations_fails(judge):
    other = "1.3 delivered bo/1 a2 seq=1 ver=1 in=g:all\n"
    result = judge("ordering", "1.2 delivered bo/1 a1 seq=5 ver=2\n" + other)
    assert result.verdict is Verdict.FAIL
    assert (result.figures["out_of_order"], result.figures["version_steps_back"]) == (0, 1)


def test_shown_twice_is_left_to_completeness(judge):
    again = "2.5 delivered bo/1 a1 seq=1 ver=1\n2.6 delivered bo/1 a2 seq=2 ver=2\n"
    assert judge("ordering", FIRST + SECOND + again).verdict is Verdict.PASS


def test_one_sequence_for_two_messages_is_a_disagreement(judge):
    result = judge("ordering", FIRST + "1.3 delivered cy/1 c1 seq=1 ver=1\n", devices="bo/1 cy/1")
    assert result.verdict is Verdict.FAIL
    assert result.figures["disagreements"] == 1
    assert result.witnesses[0].text == "sequence 1 of anna:bo names two messages"


def test_a_message_placed_before_an_earlier_one_of_its_device_fails(judge):
    overtaken = "1.1 acked anna/1 a2 seq=1 ver=1\n1.2 acked anna/1 a1 seq=2 ver=2\n"
    shown = "1.3 delivered bo/1 a2 seq=1 ver=1\n1.4 delivered bo/1 a1 seq=2 ver=2\n"
    result = judge("ordering", overtaken + shown)
    assert result.verdict is Verdict.FAIL
    assert (result.figures["own_order_broken"], result.figures["violations"]) == (1, 1)
    assert "message 2 of anna/1" in result.witnesses[0].text


PACKAGE = """
1.0 send      anna/1 a1 code=0
1.0 send      anna/1 a2 code=1
1.0 send      anna/1 a3 code=2
1.1 acked     anna/1 a1 seq={0} ver=1
1.1 acked     anna/1 a2 seq={1} ver=2
1.1 acked     anna/1 a3 seq={2} ver=3
"""


@pytest.mark.parametrize(("places", "torn"), [((4, 5, 6), 0), ((4, 5, 7), 1), ((3, 5, 6), 1)])
def test_a_package_is_placed_side_by_side(judge, places, torn):
    result = judge("ordering", PACKAGE.format(*places) + "2.0 delivered bo/1 b9 seq=9 ver=9\n")
    assert (result.figures["packages_torn"], result.figures["violations"]) == (torn, torn)
    assert result.verdict is (Verdict.FAIL if torn else Verdict.PASS)
    assert not torn or f"placed at {list(places)}" in result.witnesses[0].text


def test_two_devices_of_a_user_have_no_order_between_them(judge):
    text = "1.1 acked anna/2 A1 seq=1 ver=1\n1.2 acked anna/1 a1 seq=2 ver=2\n1.3 acked bo/1 b9 seq=3 ver=3\n"
    assert judge("ordering", text).verdict is Verdict.PASS


def test_rows_of_a_device_in_two_files_are_put_in_the_order_of_time(judge):
    assert judge("ordering", SECOND + FIRST).verdict is Verdict.PASS


def test_a_sequence_that_everybody_agrees_to_give_two_messages_is_still_a_disagreement(judge):
    result = judge(
        "ordering",
        """
        1.0 send      anna/1 a1
        1.1 acked     anna/1 a1 seq=1 ver=1
        1.2 delivered bo/1   a1 seq=1 ver=1
        2.0 send      bo/1   b1
        2.1 acked     bo/1   b1 seq=1 ver=2
        2.2 delivered anna/1 b1 seq=1 ver=2
        """,
    )
    assert (result.verdict, result.figures["disagreements"]) == (Verdict.FAIL, 1)


def test_an_inbox_whose_versions_step_back_from_one_conversation_to_the_next_is_out_of_order(judge):
    result = judge(
        "ordering",
        """
        1.0 send      anna/1 a1
        1.1 acked     anna/1 a1 seq=1 ver=2
        1.2 delivered bo/1   a1 seq=1 ver=2
        2.0 send      anna/1 a2 in=g:all
        2.1 acked     anna/1 a2 seq=1 ver=1 in=g:all
        2.2 delivered bo/1   a2 seq=1 ver=1 in=g:all
        9.0 settled   bo/1   ver=2
        """,
    )
    assert (result.figures["version_steps_back"], result.figures["violations"]) == (1, 1)
