"""The suite is worth the broken servers that it catches: some are tried here, all by `make mutants`."""

import ast
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from chaos.fault_plan import library
from conformance import cases, catalogue
from conformance.mutating import mutant, table
from conformance.mutating.mutant import Mutant, UnknownMutant
from conformance.mutating.trials import Trial, count_trials, run_trial
from conformance.verdicts import Verdict

pytestmark = pytest.mark.timeout(600)

_AT_ONCE = 4
TRIED = (
    "repeats_forgotten_at_restart",
    "last_group_member_left_out",
    "any_acknowledgement_covers_all",
    "pull_says_more_after_a_full_page",
    "beats_with_what_was_acknowledged",
    "errors_do_not_name_the_send",
    "media_overtaken_by_text",
    "counts_end_at_99",
    "read_point_beyond_the_newest_kept",
    "only_pings_are_life",
    "pull_cursor_of_the_device",
    "history_loses_an_entry_between_pages",
)


@pytest.fixture(scope="module")
def trials() -> Iterator[dict[str, Future[Trial]]]:
    """What the suite says of each server; side by side, because most of it is waiting."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = {"": pool.submit(run_trial, None, [])}
        for each in map(mutant.load, TRIED):
            found[each.name] = pool.submit(run_trial, each, each.breaks, each.carriers[0])
        yield found


def test_the_sound_server_keeps_every_clause(trials: dict[str, Future[Trial]]) -> None:
    trial = trials[""].result()
    assert trial.is_as_expected, table.row(trial)


@pytest.mark.parametrize("name", TRIED)
def test_a_broken_server_is_caught_and_the_right_clause_blamed(
    name: str, trials: dict[str, Future[Trial]]
) -> None:
    trial = trials[name].result()
    assert trial.is_as_expected, table.row(trial)


def test_what_all_cases_say_of_a_broken_server() -> None:
    """Only what is broken is blamed: of all the tables, one."""
    broken = mutant.load("history_calls_everything_text")
    trial = run_trial(broken, ["STO.1", "STO.3", "UNR.2", "DLV.8"])
    assert trial.failed == ["STO.1"], table.row(trial)


@pytest.mark.parametrize("name", mutant.names())
def test_a_mutant_is_named_like_its_file_and_breaks_known_clauses(name: str) -> None:
    found = mutant.load(name)
    assert found.name == name
    assert found.breaks
    assert found.carriers or found.under
    assert {clause for clauses in found.under.values() for clause in clauses} <= catalogue.load().keys()
    assert set(found.breaks) <= catalogue.load().keys()
    assert not found.story.endswith(".")


def clauses_with_cases() -> set[str]:
    """Every id in a `pytest.mark.clause(...)` of the cases."""
    return {
        argument.value
        for path in Path(cases.__file__).parent.glob("test_*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "clause"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def test_every_clause_of_these_families_that_has_cases_has_a_mutant() -> None:
    broken = {clause for name in mutant.names() for clause in mutant.load(name).breaks}
    families = ("ARC", "DLV", "ORD", "UNR", "HBT", "ROM", "STO")
    missing = {clause for clause in clauses_with_cases() - broken if clause.startswith(families)}
    assert not missing, f"no mutant breaks {sorted(missing)}"


def trial_of(breaks: tuple[str, ...], **verdicts: Verdict) -> Trial:
    broken = Mutant("some", breaks, "somehow", lambda: None)
    return Trial(broken, {name.replace("_", "."): verdict for name, verdict in verdicts.items()}, 1.0)


def test_a_mutant_is_killed_only_by_its_own_clauses() -> None:
    assert trial_of(("DLV.1",), DLV_1=Verdict.FAIL, DLV_2=Verdict.FAIL).is_as_expected
    assert not trial_of(("DLV.1",), DLV_1=Verdict.PASS, DLV_2=Verdict.FAIL).is_as_expected
    assert not trial_of(("DLV.1", "DLV.2"), DLV_1=Verdict.FAIL, DLV_2=Verdict.UNKNOWN).is_as_expected
    assert not trial_of(("DLV.1",)).is_as_expected


def test_under_a_plan_a_mutant_is_killed_by_the_clauses_that_show_there() -> None:
    broken = Mutant("some", ("DLV.7",), "somehow", lambda: None, under={"subway": ("DLV.1",)})
    assert Trial(broken, {"DLV.1": Verdict.FAIL}, 1.0, carrier="subway").is_as_expected
    assert not Trial(broken, {"DLV.7": Verdict.FAIL}, 1.0, carrier="subway").is_as_expected
    assert not Trial(broken, {"DLV.1": Verdict.FAIL}, 1.0, carrier="tcp").is_as_expected


def test_each_plan_of_the_library_has_a_mutant_that_shows_under_it() -> None:
    shown = {plan for name in mutant.names() for plan in mutant.load(name).under}
    assert shown == set(library())


def test_mutants_are_tried_over_carriers_or_under_the_plans_that_are_asked_for() -> None:
    both = Mutant("both", ("DLV.1",), "somehow", lambda: None, under={"subway": ("DLV.1",)})
    only = Mutant("only", ("DLV.1",), "somehow", lambda: None, carriers=(), under={"handover": ("DLV.1",)})
    assert count_trials([both, only]) == 2
    assert count_trials([both, only], ["subway", "handover", "hotel-wifi"]) == 4
    assert count_trials([both, only], ["handover"]) == 2


def test_the_sound_server_passes_only_if_something_was_tried() -> None:
    assert Trial(None, {"DLV.1": Verdict.PASS}, 1.0).is_as_expected
    assert not Trial(None, {"DLV.1": Verdict.PASS, "DLV.2": Verdict.UNKNOWN}, 1.0).is_as_expected
    assert not Trial(None, {}, 1.0, trouble="it did not start").is_as_expected


def test_the_table_names_who_survives() -> None:
    trials = [Trial(None, {"DLV.1": Verdict.PASS}, 1.0), trial_of(("DLV.1",), DLV_1=Verdict.PASS)]
    assert "SURVIVES" in table.row(trials[1])
    assert table.total(trials) == "0 of 1 mutants are killed, 1 survive (some), the sound server passes"


def test_an_unknown_mutant_is_told_where_to_look() -> None:
    with pytest.raises(UnknownMutant, match="chatproof mutants --list"):
        mutant.load("__main__")
    with pytest.raises(UnknownMutant, match="chatproof mutants --list"):
        mutant.matching("NONE.*")


def test_mutants_are_found_by_name_and_by_clause() -> None:
    assert [found.name for found in mutant.matching("counts_end_at_99")] == ["counts_end_at_99"]
    by_clause = mutant.matching("UNR.*")
    assert by_clause
    assert all(any(clause.startswith("UNR") for clause in found.breaks) for found in by_clause)
