"""The fault matrix: which cells there are, what becomes of one, and how it is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.fault import fault_kinds
from chatproof.errors import WrongUse
from chatproof.listening import CARRIERS, LADDER
from chatproof.matrix import table
from chatproof.matrix.cells import cell, cells, rows
from chatproof.matrix.running import CANNOT, EMPTY, FAIL, PASS, Outcome, Size, as_json, outcome_of, plan_of


def test_every_fault_has_a_row_and_every_row_is_a_plan_that_can_be_run() -> None:
    tried = {spec.name for each in cells() for spec in each.faults}
    assert tried == set(fault_kinds())
    for each in cells():
        if not each.why_not:
            plan_of(each, Size()).check()


def test_no_two_cells_share_a_folder() -> None:
    names = [each.name for each in cells()]
    assert len(set(names)) == len(names)


def test_every_fault_is_tried_over_some_carrier_and_every_carrier_with_some_fault() -> None:
    full = [each for each in cells() if not each.why_not]
    assert {each.row for each in full} == set(rows())
    assert {each.carrier for each in full} == set(CARRIERS)


@pytest.mark.parametrize(
    ("row", "carrier", "why"),
    [
        ("frame_loss=5%", "wss", "TLS"),
        ("frame_loss=5%", "longpoll", "no stream of messages"),
        ("frame_loss=5%", "ws", ""),
        ("latency=300ms±100ms", LADDER, "true access points"),
        ("block on scheduler;new_network", "tcp", "no scheduler"),
        ("block on scheduler;new_network", LADDER, ""),
        ("dns=lying;new_network", "tls", "ask nobody"),
        ("loss=5%", LADDER, ""),
        ("kill on access", "shortpoll", "the process that stores"),
        ("kill on server", "shortpoll", ""),
    ],
)
def test_an_empty_cell_says_why(row: str, carrier: str, why: str) -> None:
    found = cell(row, carrier).why_not
    assert (why in found) if why else not found


def test_the_faults_of_a_trial_begin_one_after_the_other_and_end_together() -> None:
    first, second = cell("dns=dead;new_network", LADDER).faults
    assert (first.at_s, first.for_s) == (2.0, 3.0)
    assert (second.at_s, second.for_s) == (2.5, None)


def test_patterns_and_carriers_that_mean_nothing_are_refused() -> None:
    with pytest.raises(WrongUse, match="no fault is like it"):
        list(cells(["gremlins"]))
    with pytest.raises(WrongUse, match="there are tcp"):
        list(cells((), ["pigeon"]))
    assert {each.faults[0].name for each in cells(["kill"])} == {"kill"}


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    empty = cell("frame_loss=5%", "tls")
    assert outcome_of(empty, Size(), tmp_path / "x").word == EMPTY
    assert not (tmp_path / "x").exists()


_COUNTS = {"sent": 9, "acked": 8, "rejected": 1, "lost": 0, "duplicated": 0, "out_of_order": 0}


def _outcomes() -> list[Outcome]:
    return [
        Outcome(cell("reset", "tcp"), PASS, recovered_s=2.5, figures=_COUNTS),
        Outcome(cell("reset", "ws"), FAIL, "completeness: <lost>", figures={**_COUNTS, "lost": 2}),
        Outcome(cell("loss=5%", "tcp"), CANNOT, "needs root"),
        Outcome(cell("dns=dead;new_network", "tcp"), EMPTY, "asks nobody"),
    ]


def test_the_table_and_the_page_say_what_became_of_each_cell() -> None:
    outcomes = _outcomes()
    assert table.closing(outcomes) == (
        "1 of 2 cells pass, 1 that this machine cannot, 1 that do not apply; of 16 acknowledged messages "
        "2 lost, 0 duplicated, 0 out of order"
    )
    assert [table.mark(each) for each in outcomes] == ["2.5 s", "FAIL", "cannot", "–"]
    assert "1 refused: 2 lost" in table.line(outcomes[1])
    shown = table.as_page(outcomes, Size())
    assert "Something is wrong" in shown
    assert "&lt;lost&gt;" in shown
    told = json.loads(as_json(outcomes, Size(seed=7)))
    assert told["seed"] == 7
    assert [each["result"] for each in told["cells"]] == ["pass", "fail", "cannot", "n/a"]


def test_a_small_matrix_from_the_command_to_its_page(tmp_path: Path) -> None:
    words = (
        "--only",
        "latency",
        "--carrier",
        "ws",
        "--carrier",
        "tcp",
        "--connections",
        "20",
        "--rate",
        "20",
    )
    more = ("--after", "1", "--jobs", "2")
    found = subprocess.run(
        [sys.executable, "-m", "chatproof", "faults", *words, *more, "--out", "result"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    told = json.loads((tmp_path / "result" / "faults.json").read_text())
    assert [(each["fault"], each["carrier"], each["result"]) for each in told["cells"]] == [
        ("latency=300ms±100ms", "ws", "pass"),
        ("latency=300ms±100ms", "tcp", "pass"),
    ]
    assert all(each["acked"] > 50 for each in told["cells"])
    lines = [
        line for line in found.stdout.splitlines() if line.startswith("latency") and "acknowledged" in line
    ]
    assert [line.split()[1] for line in lines] == ["ws", "tcp"]
    assert "Nothing got lost" in (tmp_path / "result" / "faults.html").read_text()
