"""What a protocol does not promise is not judged, and order without numbers is each sender's own."""

import pytest

from ledger.result import Verdict

MQTT = {"dialect": "mqtt", "offers": ["multi_device", "offline"]}
IN_ORDER = "1.2 delivered bo/1 a1\n1.3 delivered bo/1 a2\n"


def test_each_senders_own_order_is_enough_without_sequences(judge) -> None:
    beside = "1.1 delivered bo/1 c2\n" + IN_ORDER + "1.4 delivered bo/1 c3\n"
    result = judge("ordering", beside, environment=MQTT)
    assert (result.verdict, result.figures["by"]) == (Verdict.PASS, "sender")
    assert result.figures["conversations"] == 1


def test_a_message_shown_after_a_later_one_of_its_sender_fails_with_a_witness(judge) -> None:
    result = judge("ordering", "1.2 delivered bo/1 a2\n1.3 delivered bo/1 a1\n", environment=MQTT)
    assert result.verdict is Verdict.FAIL
    assert (result.figures["out_of_order"], result.figures["violations"]) == (1, 1)
    assert "shown on bo/1 after message 2, which its device sent later" in result.witnesses[0].text


@pytest.mark.parametrize(
    "rows",
    [
        "1.2 delivered bo/1 a2\n1.3 delivered bo/1 a1 in=g:all\n",  # of another conversation
        "1.2 delivered bo/1 a2\n1.3 delivered bo/1 A1\n",  # of another device of the same user
        "1.2 delivered bo/1 a2\n1.3 delivered cy/1 a1\n",  # on another device
        "1.1 delivered bo/1 a1\n1.2 delivered bo/1 a2\n1.3 delivered bo/1 a1\n",  # shown again
        "1.2 delivered bo/1 a2\n1.3 delivered bo/1 a1 code=-2\n",  # of another run
    ],
)
def test_what_nobody_promised_breaks_no_order(judge, rows) -> None:
    result = judge("ordering", rows, devices="anna/1 anna/2 bo/1 cy/1", environment=MQTT)
    assert result.verdict is Verdict.PASS


def test_what_was_sent_again_stands_behind_what_came_at_once(judge) -> None:
    again = "1.2 delivered bo/1 a2\n1.3 login bo/1\n1.4 delivered bo/1 a1 code=2\n1.5 delivered bo/1 a3\n"
    result = judge("ordering", again, environment=MQTT)
    assert (result.verdict, result.figures["behind"]) == (Verdict.PASS, 1)


def test_what_one_connection_repeats_is_in_order(judge) -> None:
    again = "1.2 delivered bo/1 a3\n1.3 login bo/1\n1.4 delivered bo/1 a2 code=2\n"
    broken = again + "1.5 delivered bo/1 a1 code=2\n"
    assert judge("ordering", broken, environment=MQTT).figures["out_of_order"] == 1
    later = again + "1.5 login bo/1\n1.6 delivered bo/1 a1 code=2\n"
    result = judge("ordering", later, environment=MQTT)
    assert (result.verdict, result.figures["behind"]) == (Verdict.PASS, 2)


def test_with_versions_sequences_are_judged_as_ever(judge) -> None:
    chat = {"dialect": "chat", "offers": ["versions", "unread"]}
    result = judge("ordering", IN_ORDER, environment=chat)
    assert (result.verdict, result.checked) == (Verdict.UNKNOWN, False)


def test_counts_that_the_protocol_does_not_have_are_said_to_be_not_offered(judge) -> None:
    result = judge("unread", IN_ORDER, environment=MQTT)
    assert (result.checked, result.reason) == (False, "not offered: mqtt has no unread counts")
    assert judge("unread", IN_ORDER).reason == "no device reported its unread counts"


def test_completeness_needs_no_numbers(judge) -> None:
    sent = "1.0 send anna/1 a1\n1.1 acked anna/1 a1\n"
    settled = "9.0 settled bo/1\n9.0 settled anna/1\n"
    whole = judge("completeness", sent + "1.2 delivered bo/1 a1\n" + settled, environment=MQTT)
    assert (whole.verdict, whole.figures["ok"]) == (Verdict.PASS, 1)
    lost = judge("completeness", sent + settled, environment=MQTT)
    assert (lost.verdict, lost.figures["lost"]) == (Verdict.FAIL, 1)
    repeated = "1.2 delivered bo/1 a1\n1.3 repeated bo/1 a1 code=2\n"
    again = judge("completeness", sent + repeated + settled, environment=MQTT)
    assert (again.verdict, again.figures["repeats_suppressed"]) == (Verdict.PASS, 1)
