from ledger.result import Verdict

ACKED = "1.0 send anna/1 a1\n1.1 acked anna/1 a1 seq=1 ver=1\n"
SHOWN = "3.0 delivered bo/1 a1 seq=1 ver=1 via=pull\n"


def settled(anna, bo):
    return f"9.0 settled anna/1 ver={anna}\n9.0 settled bo/1 ver={bo}\n"


def test_acknowledged_before_the_kill_and_present_after_passes(judge):
    result = judge("durability", ACKED + SHOWN + settled(1, 1), faults="kill_server 2 2.5")
    assert result.verdict is Verdict.PASS
    assert (result.figures["kills"], result.figures["acked_before"], result.figures["lost"]) == (1, 1, 0)


def test_acknowledged_before_and_lost_fails(judge):
    result = judge("durability", ACKED + settled(1, 0), faults="kill 2 2.5")
    assert (result.verdict, result.figures["lost"]) == (Verdict.FAIL, 1)
    assert "message 1 of anna/1" in result.witnesses[0].text


def test_lost_after_the_kill_is_left_to_completeness(judge):
    later = "5.0 send anna/1 a2\n5.1 acked anna/1 a2 seq=2 ver=2\n"
    result = judge("durability", ACKED + SHOWN + later + settled(2, 1), faults="kill 2 2.5")
    assert result.verdict is Verdict.PASS


def test_an_inbox_that_ends_below_what_was_acknowledged_is_rolled_back(judge):
    result = judge("durability", ACKED + SHOWN + settled(0, 1), faults="kill 2 2.5")
    assert (result.verdict, result.figures["rolled_back"]) == (Verdict.FAIL, 1)
    assert result.witnesses[0].text == "anna/1 settled at version 0, below the acknowledged 1"


def test_without_a_kill_or_anything_before_it_there_is_nothing_to_check(judge):
    assert not judge("durability", ACKED + SHOWN + settled(1, 1), faults="loss 2 3").checked
    assert not judge("durability", ACKED + SHOWN + settled(1, 1), faults="kill 0.5 3").checked


def test_without_settling_nothing_is_proven(judge):
    assert judge("durability", ACKED + SHOWN, faults="kill 2 3").verdict is Verdict.UNKNOWN
