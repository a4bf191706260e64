"""What is known of another machine's clock, and its times on the master's."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checks import Options, all_checks
from ledger.clocks import MASTERS, Clock, Knot, Machine, Reading, clock_of, clocks_of, machines_of
from ledger.errors import LedgerError
from ledger.reader import Ledger
from ledger.result import Verdict
from ledger.run_folder import Phases, RunFolder
from ledger.samples import SampleWriter
from ledger.schema import Event
from ledger.summary import empty_summary
from ledger.thresholds import parse
from ledger.writer import LedgerWriter

SECOND = 10**9
offsets = st.integers(-(10**15), 10**15)
waits = st.integers(0, SECOND // 10)


def reading(offset_ns: int, asked_ns: int, there_ns: int, back_ns: int) -> Reading:
    """A round trip that took so long there and back, to a clock so far ahead."""
    return Reading.of(asked_ns, asked_ns + there_ns + offset_ns, asked_ns + there_ns + back_ns)


def drifting(offset_ns: int, ppm: int, at_ns: int) -> int:
    return offset_ns + at_ns * ppm // 10**6


@given(offset=offsets, asked=st.integers(0, 10**14), there=waits, back=waits)
def test_a_round_trip_bounds_the_offset_however_uneven_its_ways_were(
    offset: int, asked: int, there: int, back: int
) -> None:
    one = reading(offset, asked, there, back)
    assert one.allows(offset)
    assert one.round_trip_ns == there + back
    knot = clock_of([one]).knots[0]
    assert abs(knot.offset_ns - offset) <= knot.uncertainty_ns


@given(
    offset=offsets,
    ppm=st.integers(-100, 100),
    trips=st.lists(st.tuples(st.integers(1, 60), waits, waits), min_size=2, max_size=30),
    data=st.data(),
)
def test_a_clock_that_goes_steadily_is_read_to_within_its_uncertainty(
    offset: int, ppm: int, trips: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    asked, readings = 0, []
    for seconds, there, back in trips:
        asked += seconds * SECOND
        readings.append(reading(drifting(offset, ppm, asked + there), asked, there, back))
    clock = clock_of(readings)
    assert clock.readings == len(trips)
    assert {clock.knots[0].at_ns, clock.knots[-1].at_ns} == {readings[0].at_ns, readings[-1].at_ns}
    truly = data.draw(st.integers(trips[0][0] * SECOND + SECOND // 10, asked))
    found = clock.to_master(truly + drifting(offset, ppm, truly))
    assert abs(found - truly) <= clock.uncertainty_ns + SECOND // 10 * 200 // 10**6 + 2


def test_two_readings_are_kept_of_a_steady_clock_and_more_of_one_that_was_changed() -> None:
    steady = [reading(5 * SECOND, at * SECOND, 1000, 3000) for at in range(100)]
    assert len(clock_of(steady).knots) == 2
    bent = [reading(max(0, at - 50) * 10**6, at * SECOND, 1000, 1000) for at in range(101)]
    clock = clock_of(bent)
    assert [knot.at_ns // SECOND for knot in clock.knots] == [0, 50, 100]
    assert clock.uncertainty_ns == 1000
    assert abs(clock.to_master(75 * SECOND + 25 * 10**6) - 75 * SECOND) <= 1000


@given(
    knots=st.lists(
        st.builds(Knot, at_ns=st.integers(0, 10**14), offset_ns=offsets, uncertainty_ns=waits),
        max_size=4,
        unique_by=lambda knot: knot.at_ns // SECOND,
    ),
    times=st.lists(st.integers(-(10**12), 2 * 10**14) | st.none(), min_size=1),
)
def test_a_column_becomes_what_each_of_its_times_becomes(knots: list[Knot], times: list[int | None]) -> None:
    clock = Clock(tuple(sorted(knots, key=lambda knot: knot.at_ns)))
    frame = pl.DataFrame({"at_ns": times}, schema={"at_ns": pl.Int64}).select(clock.of_master("at_ns"))
    for found, at in zip(frame["at_ns"], times, strict=True):
        assert found is at is None or abs(found - clock.to_master(at)) <= 1


def test_the_masters_own_clock_is_exact_and_costs_nothing() -> None:
    assert (MASTERS.offset_ns, MASTERS.uncertainty_ns, MASTERS.drift_ppm) == (0, 0, 0.0)
    assert MASTERS.to_master(7) == 7
    assert clocks_of({"machines": {"a": {"processes": ["p"]}}}) == {}
    assert clocks_of({}) == {}


def test_machines_that_make_no_sense_are_one_line() -> None:
    with pytest.raises(LedgerError, match="machines make no sense"):
        machines_of({"machines": {"a": 1}})


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """One process beside the master and one on a machine 1,000 s ahead; both note second 5 of the master."""
    folder = RunFolder(tmp_path)
    folder.create()
    ahead = Clock((Knot(1002 * SECOND, 1000 * SECOND, 100), Knot(1009 * SECOND, 1000 * SECOND, 100)), 2)
    for device, (process, at) in enumerate({"near": 5, "far": 1005}.items()):
        ledger = LedgerWriter(folder.ledger, process)
        ledger.add(at * SECOND, (at - 1) * SECOND, Event.SEND, device, device << 32 | 1, 0)
        ledger.flush() if process == "far" else ledger.close()
        samples = SampleWriter(folder.processes, process)
        samples.write({"at_ns": at * SECOND, "role": "generator"})
        samples.close()
    folder.save_phases(Phases(0, SECOND, 9 * SECOND, 10 * SECOND))
    folder.write_tables([(0, 0, "a", "d"), (1, 1, "b", "d")], [(0, "a:b")], [(0, 0), (0, 1)])
    folder.save_environment({"machines": {"b": {"processes": ["far"], "clock": as_json(ahead)}}})
    return folder


def as_json(clock: Clock) -> dict[str, Any]:
    knots = [{name: getattr(knot, name) for name in knot.__struct_fields__} for knot in clock.knots]
    return {"knots": knots, "readings": clock.readings}


def test_rows_and_samples_of_another_machine_are_read_on_the_masters_clock(run: RunFolder) -> None:
    ledger = Ledger.open(run)
    rows = ledger.rows.collect()
    assert rows["at_ns"].to_list() == [5 * SECOND, 5 * SECOND]
    assert rows["planned_ns"].to_list() == [4 * SECOND, 4 * SECOND]
    assert ledger.samples["at_ns"].to_list() == [5 * SECOND, 5 * SECOND]
    assert ledger.killed == ("far",)


def judged(**machines: Machine) -> Any:
    described = {
        name: {"processes": [*each.processes], "missing": [*each.missing], "clock": as_json(each.clock)}
        for name, each in machines.items()
    }
    ledger = Ledger.from_rows(
        [], devices=[], conversations=[], members=[], environment={"machines": described}
    )
    return all_checks()["machines"](ledger, Options())


def test_a_ledger_that_did_not_arrive_is_named_and_nothing_has_passed() -> None:
    result = judged(b=Machine(("swarm-b-1",)), c=Machine(("swarm-c-1", "swarm-c-2"), missing=("swarm-c-2",)))
    assert result.verdict is Verdict.UNKNOWN
    assert result.checked
    assert "swarm-c-2" in result.reason
    assert [witness.text for witness in result.witnesses] == [
        "the ledger of swarm-c-2 on machine c did not arrive"
    ]


def test_machines_that_are_all_there_pass_with_what_is_known_of_their_clocks() -> None:
    clock = Clock((Knot(0, 5 * 10**6, 2000), Knot(SECOND, 5 * 10**6 + 3000, 1000)), 9)
    result = judged(b=Machine(("swarm-b-1",), clock), c=Machine(("swarm-c-1",)))
    assert result.verdict is Verdict.PASS
    assert result.figures["uncertainty_ms"] == 0.002
    assert "up to 0.002 ms earlier or later" in result.reason
    assert result.figures["clocks"] == {
        "b": {"offset_ms": 5.0, "uncertainty_ms": 0.002, "drift_ppm": 3.0},
        "c": {"offset_ms": 0.0, "uncertainty_ms": 0.0, "drift_ppm": 0.0},
    }


def test_machines_with_the_masters_own_clock_are_certain() -> None:
    assert judged(b=Machine(("swarm-b-1",))).reason == "All of them have the master's own clock."


def test_two_machines_are_as_uncertain_beside_each_other_as_both_are_together() -> None:
    each = {name: Clock((Knot(0, 0, wrong),), 1) for name, wrong in {"b": 3000, "c": 1000, "d": 2000}.items()}
    result = judged(**{name: Machine((f"swarm-{name}-1",), clock) for name, clock in each.items()})
    assert result.figures["uncertainty_ms"] == 0.005


def test_a_threshold_can_ask_how_well_clocks_are_known() -> None:
    assert parse("clock_uncertainty_ms < 1").evaluate(empty_summary())["value"] == 0.0


def test_a_run_on_one_machine_is_not_asked_about_others() -> None:
    assert not judged().checked
