"""A planner's question is answered from a run, from many, and in the page by the same arithmetic."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.capacity import arithmetic, model, usl
from reports.capacity.costs import of_run, of_sweep
from reports.capacity.observed import Observed, Side, observe
from reports.capacity.section import section
from reports.capacity.sweep import Done, Findings, Sweep
from reports.evidence import Evidence
from reports.telling import Telling, plain

SCRIPT = Path(model.__file__).parent.parent / "templates" / "capacity.js"


def seen(connections: int = 1_000_000, frames: float = 33_333.0, **more: Any) -> Observed:
    """As `chatproof run million` has it, roughly: idle connections, a heartbeat a minute."""
    facts: dict[str, Any] = {
        "connections": connections,
        "load_s": 300.0,
        "heartbeat_s": 60.0,
        "heartbeats_a_second": frames / 2,
        "messages_a_second": 0.0,
        "deliveries_a_second": 0.0,
        "frames_a_second": frames,
        "server": Side(frames * 12.5e-6, 90_000_000 + 1_500 * connections, 1_500),
        "swarm": Side(frames * 16e-6, 60_000_000 + 1_600 * connections, 1_600),
        "kernel_bytes_an_end": 3_900.0,
        "wire_heartbeat_bytes": 220.0,
        "wire_message_bytes": None,
        "machine_cores": 2,
        "machine_memory_bytes": 25_000_000_000,
        "overloaded": False,
    }
    return Observed(**facts | more)


def given(observed: Observed, **asked: float) -> dict[str, float | None]:
    return {one.name: one.value for one in model.inputs(of_run(observed))} | asked


def test_ten_million_connections_at_a_heartbeat_a_minute() -> None:
    found = model.answer(given(seen()))
    assert found["heartbeats_a_second"] == pytest.approx(1e7 / 60)
    assert found["busy_cores"] == pytest.approx(1e7 / 60 * 2 * 12.5e-6)
    assert found["machines_for_cpu"] == 5
    assert found["memory_bytes"] == pytest.approx(1e7 * 5_400)
    assert found["machines_for_memory"] == 4
    assert found["machines"] == 6
    assert found["connections_a_machine"] == 2_000_000
    assert found["beyond"] == 2
    assert found["balancer_addresses"] == 72


def test_kernel_memory_that_was_there_before_is_not_taken_for_little() -> None:
    assert given(seen(kernel_bytes_an_end=950.0))["kernel_bytes"] == 3_900
    assert given(seen(kernel_bytes_an_end=None))["kernel_bytes"] == 3_900
    assert given(seen(kernel_bytes_an_end=5_000.0))["kernel_bytes"] == 5_000


def test_messages_count_with_their_deliveries() -> None:
    idle, chatty = (model.answer(given(seen(), messages_a_day=n, fan_out=3.0)) for n in (0.0, 86.4))
    assert chatty["messages_a_second"] == pytest.approx(30_000)
    assert chatty["frames_a_second"] == pytest.approx((idle["frames_a_second"] or 0) + 2 * 4 * 30_000)


def test_what_was_not_measured_is_not_guessed() -> None:
    costs = of_run(seen(server=Side()))
    told = section(costs)
    assert "withheld" in told.sentence
    assert told.fact is None
    assert any("not on this machine" in doubt for doubt in told.doubts)
    assert model.answer(given(seen(server=Side())))["machines"] is None


def test_a_machine_too_small_for_the_server_alone_is_no_answer() -> None:
    assert model.answer(given(seen(), machine_bytes=1e6))["machines"] is None


def test_one_run_says_that_it_is_one_point() -> None:
    assert "one point" in section(of_run(seen())).doubts[0]
    assert any("So few" in doubt for doubt in section(of_run(seen(connections=50))).doubts)


def test_the_sentence_has_the_answer_and_the_arithmetic_its_numbers() -> None:
    told = section(of_run(seen()))
    assert plain(told.sentence).startswith(
        "10,000,000 users with a heartbeat each 60 s and 0 messages a day each need 6 machines of 2 cores"
    )
    sums = {line.name: plain(line.spelled) for line in told.lines}
    assert sums["heartbeats_a_second"] == "10,000,000 ÷ 60"
    assert sums["machines"] == "5 + 1"


def test_steps_of_a_sweep_tell_what_there_is_without_load() -> None:
    steps = [
        seen(n, frames, server=Side(0.2 + frames * 10e-6, 80_000_000 + 2_000 * n, None))
        for n, frames in ((1_000, 5_000.0), (2_000, 10_000.0), (4_000, 20_000.0))
    ]
    costs = of_sweep(steps)
    assert costs.server.us_a_frame == pytest.approx(10)
    assert costs.server.bytes_a_connection == pytest.approx(2_000)
    assert costs.server.base_bytes == pytest.approx(80_000_000)
    assert of_run(steps[0]).server.us_a_frame == pytest.approx(50)


@pytest.mark.parametrize("expression", ["__import__('os')", "users ** 2", "users.real", "print(users)", "1"])
def test_only_arithmetic_over_names_is_computed(expression: str) -> None:
    with pytest.raises(ValueError, match="no arithmetic"):
        arithmetic.compute(expression, {"users": 1.0})


def test_every_name_of_an_expression_is_known_before_it() -> None:
    known = {*model.CONSTANTS, *given(seen())}
    for step in model.STEPS:
        assert set(arithmetic.names(step.expression)) <= known, step.name
        known.add(step.name)


QUESTIONS: list[dict[str, float]] = [
    {},
    {"users": 25_000.0, "heartbeat_s": 4.5, "messages_a_day": 120.0},
    {"users": 3e8, "messages_a_day": 7.0, "peak_factor": 5.5, "machine_cores": 64.0},
    {"machine_bytes": 1e6},
    {"heartbeat_s": 0.0},
]


def test_the_page_computes_what_the_report_says(requires: Callable[[str], str], tmp_path: Path) -> None:
    told = section(of_run(seen()))
    page = tmp_path / "page.js"
    page.write_text(
        "const document = {getElementById: () => ({textContent: process.argv[2]})};\n"
        f"{SCRIPT.read_text()}\n"
        "const {answer, said, spelled, defaults} = module.exports, model = JSON.parse(process.argv[2]);\n"
        "console.log(JSON.stringify(JSON.parse(process.argv[3]).map((asked) => {\n"
        "  const values = answer({...defaults(), ...asked});\n"
        "  const told = (step) => [said(step.name, values), spelled(step.expression, values)];\n"
        "  return Object.fromEntries(model.steps.map((step) => [step.name, told(step)]));\n"
        "})));\n"
    )
    command = [requires("node"), str(page), json.dumps(told.model), json.dumps(QUESTIONS)]
    shown = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    base = given(seen())
    say = {one.name: one.say for one in model.inputs(of_run(seen()))} | model.says()
    for asked, script in zip(QUESTIONS, shown, strict=True):
        values = {**model.CONSTANTS, **base, **asked}
        values |= model.answer(values)

        def told_as(name: str, values: dict[str, float | None] = values) -> str:
            value = values[name]
            return "–" if value is None else say[name](value)

        for step in model.STEPS:
            expected = [told_as(step.name), arithmetic.spelled(step.expression, told_as)]
            assert script[step.name] == expected, (asked, step.name)


def test_a_run_without_a_load_has_nothing_to_calculate_with(tell: Callable[..., Evidence]) -> None:
    evidence = tell([])
    assert observe(evidence, {}) is None
    assert observe(evidence, {"connections": {"peak": 0}}) is None


LOADS = [1_000.0, 2_000.0, 4_000.0, 8_000.0, 12_000.0, 16_000.0]


def test_the_law_is_found_again() -> None:
    meant = usl.Parameters(3.0, 2e-5, 4e-9)
    found = usl.fit(LOADS, list(meant.throughput(np.array(LOADS))))
    assert found is not None
    assert found.parameters.alpha == pytest.approx(meant.alpha, rel=1e-3)
    assert found.parameters.beta == pytest.approx(meant.beta, rel=1e-3)
    assert found.knee == pytest.approx(meant.knee, rel=1e-3)
    assert found.knee == pytest.approx(15_811, rel=1e-3)
    assert found.headroom == 0
    assert found.error < 1e-6


def test_noise_widens_the_interval_around_the_knee() -> None:
    exact = usl.Parameters(3.0, 2e-5, 4e-9).throughput(np.array(LOADS))
    noisy = exact * (1 + np.array([0.03, -0.04, 0.02, -0.03, 0.04, -0.02]))
    found = usl.fit(LOADS, list(noisy))
    assert found is not None
    low, high = found.knee_interval
    assert low is not None
    assert low < 15_811 < (high or np.inf)
    assert low < (found.knee or np.inf)


def test_what_grows_in_a_straight_line_has_no_knee_in_sight() -> None:
    found = usl.fit(LOADS, [3 * load for load in LOADS])
    assert found is not None
    assert found.knee is None
    assert found.knee_at_least == 48_000
    assert found.parameters.alpha == pytest.approx(0, abs=1e-9)


def test_what_grows_faster_than_the_load_is_no_negative_waiting() -> None:
    found = usl.fit(LOADS, [load**1.2 for load in LOADS])
    assert found is not None
    assert found.parameters.alpha == 0
    assert found.parameters.beta == 0


@pytest.mark.parametrize("throughputs", [[5.0] * 4, [0.0] * 6])
def test_too_few_points_or_nothing_at_all_have_no_fit(throughputs: list[float]) -> None:
    assert usl.fit(LOADS[: len(throughputs)], throughputs) is None


def sweep(points: list[tuple[int, float]], **last: Any) -> Findings:
    steps = [Done(f"{n}", n, 0.0, 0, observed=seen(n, frames)) for n, frames in points]
    for name, value in last.items():
        setattr(steps[-1], name, value)
    return Findings(Sweep("chatproof sweep", "plan", steps, len(steps), "so"))


def test_a_sweep_of_few_steps_withholds_the_law() -> None:
    assert "2 points" in plain(sweep([(10, 5.0), (20, 10.0)]).withheld(Telling()))


def test_a_step_in_which_the_swarm_was_measured_is_no_point() -> None:
    findings = sweep([(n, n / 2) for n in (10, 20, 30, 40, 50)], overloaded=True)
    assert len(findings.points) == 4
    assert "4 points (1 more measured the swarm)" in plain(findings.withheld(Telling()))
    assert findings.largest_held is not None
    assert findings.largest_held.connections == 40


def test_points_that_follow_no_law_withhold_it() -> None:
    findings = sweep([(10, 5.0), (20, 100.0), (30, 4.0), (40, 200.0), (50, 3.0)])
    assert "do not follow" in findings.withheld(Telling())
