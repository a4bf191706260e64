"""Every outcome a message can have, each from the shortest history that shows it."""

import pytest

from ledger.result import Verdict

SENT = """
1.0 send      anna/1 a1
1.1 acked     anna/1 a1 seq=1 ver=1
"""
SHOWN = "1.2 delivered bo/1 a1 seq=1 ver=1 via=push\n"
SETTLED = "9.0 settled anna/1 ver=1\n9.0 settled bo/1 ver=1\n"
OUTCOMES = ("ok", "late", "recovered", "undetermined", "lost", "duplicated", "altered", "unexpected")


def counted(figures):
    return {name: figures[name] for name in OUTCOMES if figures[name]}


def test_an_acknowledged_message_delivered_once_is_ok(judge):
    result = judge("completeness", SENT + SHOWN + SETTLED)
    assert result.verdict is Verdict.PASS
    assert counted(result.figures) == {"ok": 1}
    assert (result.figures["sent"], result.figures["acked"], result.figures["expected"]) == (1, 1, 1)
    assert result.witnesses == ()


def test_nothing_sent_is_unknown_and_not_checked(judge):
    result = judge("completeness", SETTLED.replace("ver=1", "ver=0"))
    assert (result.verdict, result.checked) == (Verdict.UNKNOWN, False)


def test_delivered_without_an_acknowledgement_is_recovered_and_passes(judge):
    result = judge("completeness", "1.0 send anna/1 a1\n" + SHOWN + "9.0 settled bo/1 ver=1")
    assert result.verdict is Verdict.PASS
    assert counted(result.figures) == {"recovered": 1}


def test_delivered_by_a_pull_only_is_late_and_passes(judge):
    result = judge("completeness", SENT + SHOWN.replace("push", "pull") + SETTLED)
    assert result.verdict is Verdict.PASS
    assert counted(result.figures) == {"late": 1}


def test_a_poll_is_no_pull(judge):
    result = judge("completeness", SENT + SHOWN.replace("push", "poll") + SETTLED)
    assert counted(result.figures) == {"ok": 1}
    assert result.figures["reached"] == {"push": 0, "push_again": 0, "pull": 0, "poll": 1}


def test_delivered_after_the_fault_that_covered_its_send_is_late_by_what_passed_since(judge):
    result = judge("completeness", SENT + SHOWN + SETTLED, faults="loss 0.9 1.15")
    assert counted(result.figures) == {"late": 1}
    assert result.figures["late_max_ms"] == pytest.approx(50)
    assert result.figures["by_fault"] == {"loss": {"late": 1}}


def test_delivered_while_the_fault_is_still_on_is_ok(judge):
    result = judge("completeness", SENT + SHOWN + SETTLED, faults="loss 0.9 1.15,delay 0.5 2.0")
    assert counted(result.figures) == {"ok": 1}
    assert result.figures["by_fault"] == {"loss": {"ok": 1}}


def test_acknowledged_and_never_delivered_to_a_settled_device_is_lost(judge):
    result = judge("completeness", SENT + "9.0 settled anna/1 ver=1\n9.0 settled bo/1 ver=0")
    assert result.verdict is Verdict.FAIL
    assert counted(result.figures) == {"lost": 1}
    witness = result.witnesses[0]
    assert witness.text == (
        "message 1 of anna/1 in anna:bo (sequence 1, version 1): acknowledged, never delivered to bo/1"
    )
    assert [row["event"] for row in witness.rows] == ["send", "acked"]


def test_what_is_missing_on_a_device_that_did_not_settle_is_undetermined_and_the_run_unknown(judge):
    result = judge("completeness", SENT + "9.0 settled anna/1 ver=1\n9.0 unsettled bo/1")
    assert result.verdict is Verdict.UNKNOWN
    assert counted(result.figures) == {"undetermined": 1}
    assert "bo/1" in result.witnesses[0].text


def test_one_delivery_of_two_missing_on_an_unsettled_device_is_unknown(judge):
    text = SENT + SHOWN + "2.0 send anna/1 a2\n2.1 acked anna/1 a2 seq=2 ver=2\n9.0 settled anna/1 ver=2"
    result = judge("completeness", text)
    assert result.verdict is Verdict.UNKNOWN
    assert counted(result.figures) == {"ok": 1, "undetermined": 1}
    assert result.figures["unsettled"] == 1


def test_neither_acknowledged_nor_delivered_is_undetermined_and_passes_beside_others(judge):
    result = judge("completeness", SENT + SHOWN + "2.0 send anna/1 a2\n" + SETTLED)
    assert result.verdict is Verdict.PASS
    assert counted(result.figures) == {"ok": 1, "undetermined": 1}


def test_all_undetermined_is_unknown(judge):
    result = judge("completeness", "1.0 send anna/1 a1\n9.0 settled anna/1 ver=0\n9.0 settled bo/1 ver=0")
    assert result.verdict is Verdict.UNKNOWN


def test_shown_twice_is_duplicated(judge):
    result = judge("completeness", SENT + SHOWN + SHOWN.replace("1.2", "1.3") + SETTLED)
    assert result.verdict is Verdict.FAIL
    assert counted(result.figures) == {"duplicated": 1}
    assert "message 1 of anna/1" in result.witnesses[0].text


def test_a_duplicate_on_one_device_does_not_make_up_for_a_loss_on_another(judge):
    in_group = "1.0 send anna/1 a1 in=g:all\n1.1 acked anna/1 a1 seq=1 ver=1 in=g:all\n"
    shown = "1.2 delivered bo/1 a1 seq=1 ver=1 in=g:all via=push\n"
    settled = "".join(f"9.0 settled {device} ver=1\n" for device in ("anna/1", "bo/1", "cy/1"))
    result = judge("completeness", in_group + shown + shown + settled, devices="anna/1 bo/1 cy/1")
    assert counted(result.figures) == {"lost": 1, "duplicated": 1}


def test_shown_on_the_device_that_sent_it_is_duplicated(judge):
    result = judge("completeness", SENT + SHOWN + SHOWN.replace("bo", "anna") + SETTLED)
    assert counted(result.figures) == {"ok": 1, "duplicated": 1}


def test_delivered_and_never_sent_is_unexpected(judge):
    result = judge("completeness", SENT + SHOWN + "1.3 delivered bo/1 a7 seq=2 ver=2 via=push\n" + SETTLED)
    assert result.verdict is Verdict.FAIL
    assert counted(result.figures) == {"ok": 1, "unexpected": 1}
    assert "message 7 of anna/1" in result.witnesses[0].text


def test_delivered_to_somebody_who_is_no_member_is_unexpected(judge):
    text = SENT + SHOWN + SHOWN.replace("bo", "cy") + SETTLED
    result = judge("completeness", text, devices="anna/1 bo/1 cy/1")
    assert counted(result.figures) == {"ok": 1, "unexpected": 1}
    assert "cy/1" in result.witnesses[0].text


def test_turned_down_and_delivered_is_unexpected(judge):
    text = "1.0 send anna/1 a1\n1.1 rejected anna/1 a1 code=403\n" + SHOWN + SETTLED
    assert counted(judge("completeness", text).figures) == {"unexpected": 1}


def test_turned_down_is_expected_nowhere(judge):
    text = SENT + SHOWN + "2.0 send anna/1 a2\n2.1 rejected anna/1 a2 code=403\n" + SETTLED
    result = judge("completeness", text)
    assert (counted(result.figures), result.figures["rejected"]) == ({"ok": 1}, 1)


def test_a_wrong_digest_is_altered(judge):
    result = judge("completeness", SENT + SHOWN.replace("push", "push code=-1") + SETTLED)
    assert result.verdict is Verdict.FAIL
    assert counted(result.figures) == {"altered": 1}


def test_an_unreadable_delivery_is_the_altered_message_acknowledged_at_its_place(judge):
    result = judge("completeness", SENT + SHOWN.replace("a1", "-").replace("push", "push code=-1") + SETTLED)
    assert counted(result.figures) == {"altered": 1}
    assert result.witnesses[0].text.startswith("message 1 of anna/1")
    assert [row["event"] for row in result.witnesses[0].rows] == ["send", "acked", "delivered"]


def test_an_unreadable_delivery_where_nothing_was_acknowledged_is_altered_too(judge):
    result = judge("completeness", SENT + SHOWN + "1.3 delivered bo/1 - seq=9 ver=2 code=-1\n" + SETTLED)
    assert counted(result.figures) == {"ok": 1, "altered": 1}
    assert "sequence 9" in result.witnesses[0].text


def test_delivered_in_another_conversation_is_altered(judge):
    result = judge("completeness", SENT + SHOWN.replace("via", "in=g:all via") + SETTLED)
    assert counted(result.figures) == {"altered": 1}


def test_a_device_that_never_logged_in_is_not_expected_to_have_anything(judge):
    assert judge("completeness", SENT + SHOWN + SETTLED).figures["expected"] == 1
    text = SENT + SHOWN + SETTLED
    with_another = judge("completeness", text, devices="anna/1 anna/2 bo/1")
    assert with_another.figures["expected"] == 2
    assert with_another.verdict is Verdict.UNKNOWN


def test_messages_of_another_run_are_counted_and_otherwise_ignored(judge):
    text = SENT + "1.15 delivered bo/1 - seq=1 ver=1 code=-2\n" + SHOWN.replace("ver=1", "ver=2")
    result = judge("completeness", text + SETTLED.replace("bo/1 ver=1", "bo/1 ver=2"))
    assert result.verdict is Verdict.PASS
    assert (counted(result.figures), result.figures["foreign"]) == ({"ok": 1}, 1)


def test_repeats_are_counted_but_for_a_devices_own_messages(judge):
    own = "1.15 repeated anna/1 a1 seq=1 ver=1 via=push\n"
    again = SHOWN.replace("1.2 delivered", "3.0 repeated")
    result = judge("completeness", SENT + own + SHOWN + again + SETTLED)
    assert result.verdict is Verdict.PASS
    assert result.figures["repeats_suppressed"] == 1


def test_what_came_or_went_again_is_counted_as_the_effect_of_faults(judge):
    again = "1.05 retransmit anna/1 a1 code=2\n1.3 repeated bo/1 a1 seq=1 ver=1 via=push code=2\n"
    figures = judge("completeness", SENT + SHOWN.replace("push", "push code=3") + again + SETTLED).figures
    assert (figures["retransmitted_sends"], figures["retransmitted_pushes"]) == (1, 2)


def test_a_retransmitted_push_is_told_from_a_first_one(judge):
    result = judge("completeness", SENT + SHOWN.replace("push", "push code=2") + SETTLED)
    assert result.figures["reached"] == {"push": 0, "push_again": 1, "pull": 0, "poll": 0}


@pytest.mark.parametrize(
    ("versions", "holes"),
    [((1, 2), 0), ((1, 3), 1), ((2, 3), 1), ((1,), 1), ((1, 4), 2)],
    ids=["whole", "inside", "at the start", "at the end", "two"],
)
def test_versions_that_a_settled_device_never_saw_are_holes(judge, versions, holes):
    shown = "".join(
        f"{n}.2 delivered bo/1 b{n} seq={n} ver={version}\n" for n, version in enumerate(versions, 1)
    )
    settled = f"9.0 settled bo/1 ver={max(2, *versions)}"
    result = judge("completeness", SENT + shown + settled)
    assert result.figures["version_holes"] == holes
    assert ("without version" in " ".join(witness.text for witness in result.witnesses)) == (holes > 0)


def test_a_devices_own_acknowledged_message_is_no_hole(judge):
    text = SENT + SHOWN + "2.0 send bo/1 b1\n2.1 acked bo/1 b1 seq=2 ver=2\n9.0 settled bo/1 ver=2"
    assert judge("completeness", text).figures["version_holes"] == 0


def test_a_version_that_names_two_messages_is_reused(judge):
    second = "2.0 send anna/1 a2\n2.1 acked anna/1 a2 seq=2 ver=2\n2.2 delivered bo/1 a2 seq=2 ver=1\n"
    result = judge("completeness", SENT + SHOWN + second + SETTLED)
    assert result.verdict is Verdict.FAIL
    assert result.figures["versions_reused"] == 1
    assert "version 1 of bo/1 names two messages" in [witness.text for witness in result.witnesses]


def test_what_a_killed_process_did_not_write_down_is_not_unexpected(judge):
    text = SHOWN + "9.0 settled bo/1 ver=1\n"
    killed = judge("completeness", text, killed=("generator-1",))
    assert (killed.verdict, counted(killed.figures)) == (Verdict.UNKNOWN, {"undetermined": 1})
    assert judge("completeness", text).verdict is Verdict.FAIL


def test_eight_lost_messages_do_not_hide_a_duplicated_one(judge):
    lost = "".join(f"2.0 send anna/1 a{n}\n2.1 acked anna/1 a{n} seq={n} ver={n}\n" for n in range(2, 12))
    result = judge("completeness", SENT + SHOWN + SHOWN + lost + SETTLED)
    assert result.figures["lost"] == 10
    assert len(result.witnesses) == 8
    assert any("shown more than once" in witness.text for witness in result.witnesses)
