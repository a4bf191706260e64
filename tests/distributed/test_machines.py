"""A swarm on two other machines, each with a clock of its own: nothing is lost, least of all its meaning."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from namespaces import Ended, Network

from ledger.clocks import machines_of
from ledger.connections import losses
from ledger.reader import Ledger
from ledger.run_folder import RunFolder

SECOND = 10**9
AHEAD_S = {"b": 1_000, "c": 250_000}
USERS = 120
PORT, SERVER_PORT = 5557, 14000
CONNECTIONS = 80
_SWARM = (
    "--connections", str(CONNECTIONS), "--rate", "60", "--ramp", "1s", "--heartbeat", "4",
    "--set", "cohort=10", "--set", "away_share=0.2", "--set", "away_for=1.0",
)  # fmt: skip


@dataclass
class Outcome:
    """How the run and its machines ended, and its folder."""

    run: Ended
    machines: dict[str, Ended]
    folder: RunFolder

    @property
    def summary(self) -> dict[str, Any]:
        return self.folder.load_summary()


@pytest.fixture(scope="module")
def outcomes(network: Network, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """One run with faults that goes well, and one, side by side, in which machine d dies under load."""
    place = tmp_path_factory.mktemp("machines")
    for name, ahead_s in {"a": 0, "s": 0, **AHEAD_S, "d": 77}.items():
        network.add(name, ahead_s)
    server = f"{network.address['s']}:{SERVER_PORT}"
    made = network.start(
        "s", "accounts", "generate", str(USERS), "--data", "server", "--out", "all.csv", cwd=place
    ).end()
    assert made.code == 0, made.err
    lines = [line for line in (place / "all.csv").read_text().splitlines() if not line.startswith("user,")]
    assert len(lines) == USERS
    halves = {"well": lines[: USERS // 2], "badly": lines[USERS // 2 :]}
    for name, half in halves.items():
        (place / f"{name}.csv").write_text("\n".join(half) + "\n")
    network.start("s", "serve", "--data", "server", "--listen", f"tcp://{server}", cwd=place).until(
        "listening"
    )

    def run(name: str, port: int, *more: str) -> Any:
        bind = f"{network.address['a']}:{port}"
        target = ("--target", f"chat+tcp://{server}", "--accounts", f"{name}.csv")
        started = network.start(
            "a", "run", *target, *_SWARM, "--machines", "2", "--bind", bind, "--out", name, *more, cwd=place
        )
        return started, bind

    def join(name: str, bind: str) -> Any:
        home = place / f"home-{name}"
        home.mkdir(exist_ok=True)
        words = ("worker", "--master", bind, "--name", name, "--dir", str(home))
        return network.start(name, *words, cwd=home)

    faults = ("--fault", "cut=40% at 2s", "--fault", "latency=30ms at 3s for 2s")
    well, bind = run("well", PORT, "--processes", "4", "--duration", "7s", *faults)
    machines = {name: join(name, bind) for name in AHEAD_S}
    badly, other = run(
        "badly", PORT + 1, "--processes", "2", "--duration", "60s", "--set", "settle_timeout=15"
    )
    survivor, victim = join("b", other), join("d", other)
    badly.until("load begins")
    victim.kill()
    folder = RunFolder(place / "well")
    return {
        "well": Outcome(well.end(), {name: each.end() for name, each in machines.items()}, folder),
        "badly": Outcome(badly.end(), {"b": survivor.end(), "d": victim.end()}, RunFolder(place / "badly")),
    }


@pytest.fixture(scope="module")
def well(outcomes: dict[str, Outcome]) -> Outcome:
    return outcomes["well"]


def test_every_message_is_accounted_for(well: Outcome) -> None:
    assert well.run.code == 0, well.run.err + well.run.out
    completeness = well.summary["checks"]["completeness"]
    assert well.summary["verdict"] == "pass"
    assert completeness["sent"] == completeness["acked"] > 200
    assert completeness["expected"] == completeness["ok"] + completeness["late"] + completeness["recovered"]
    assert well.summary["connections"]["peak"] == CONNECTIONS
    rows = Ledger.open(well.folder).rows.collect()
    assert rows.filter(pl.col("event") == "send").height == completeness["sent"]
    assert rows.filter(pl.col("event") == "settled").height == CONNECTIONS


def test_ledgers_samples_and_histograms_of_all_processes_came(well: Outcome) -> None:
    names = {f"swarm-{name}-{number}" for name in AHEAD_S for number in (1, 2)}
    assert {path.stem for path in well.folder.ledger.iterdir()} == names
    assert {path.stem for path in well.folder.processes.iterdir()} > names | {"machine-b", "machine-c"}
    assert well.summary["checks"]["machines"]["processes"] == 4
    assert well.summary["checks"]["machines"]["missing"] == 0
    beats = well.summary["checks"]["heartbeat"]["answered"]
    assert well.summary["latency_ms"]["heartbeat"]["count"] == beats > CONNECTIONS
    each = [
        Ledger.open(well.folder).samples.filter(process=name)["connections"].max() for name in sorted(names)
    ]
    assert each == [CONNECTIONS / 4] * 4


def test_machines_end_with_the_run_and_leave_nothing(well: Outcome) -> None:
    for name, ended in well.machines.items():
        assert (ended.code, ended.err) == (0, ""), ended
        assert list((well.folder.path.parent / f"home-{name}").rglob("*.parquet")) == []


def test_offsets_are_found_to_within_their_uncertainty(well: Outcome) -> None:
    machines = machines_of(well.folder.load_environment())
    clocks = well.summary["checks"]["machines"]["clocks"]
    assert 0 < well.summary["clock_uncertainty_ms"] < 1000
    assert set(machines) == set(clocks) == set(AHEAD_S)
    for name, ahead_s in AHEAD_S.items():
        knots = machines[name].clock.knots
        assert len(knots) >= 2
        for knot in knots:
            assert abs(knot.offset_ns - ahead_s * SECOND) <= knot.uncertainty_ns < SECOND
        assert clocks[name]["offset_ms"] == pytest.approx(ahead_s * 1000, abs=clocks[name]["uncertainty_ms"])
        report = (well.folder.path / "report.html").read_text()
        assert f"{name}: offset ms" in report
        assert "earlier or later beside what happened on another" in report


def test_rows_are_kept_as_written_and_read_on_the_masters_clock(well: Outcome) -> None:
    ledger = Ledger.open(well.folder)
    phases = ledger.phases
    times = ledger.rows.select(first=pl.col("at_ns").min(), last=pl.col("at_ns").max()).collect()
    assert phases.start_ns <= times["first"][0]
    assert times["last"][0] <= phases.settle_end_ns + 60 * SECOND
    for name, ahead_s in AHEAD_S.items():
        written = pl.read_parquet(well.folder.ledger / f"swarm-{name}-1.parquet")["at_ns"]
        assert written.min() >= phases.start_ns + (ahead_s - 1) * SECOND  # type: ignore[operator]
    assert well.summary["checks"]["generator"]["checked"], "no sample was within the load"


def test_latencies_are_of_the_run_and_not_of_the_clocks(well: Outcome) -> None:
    for name in ("deliver", "ack", "heartbeat", "login", "catch_up"):
        latency = well.summary["latency_ms"][name]
        assert latency["count"]
        assert 0 <= latency["p50"] <= latency["max"] < min(AHEAD_S.values()) * 1000 / 10


def test_what_a_fault_broke_is_put_down_to_it(well: Outcome) -> None:
    assert well.summary["checks"]["reconnection"]["verdict"] == "pass"
    lost = losses(Ledger.open(well.folder), SECOND)
    assert lost.height >= CONNECTIONS * 0.3
    assert lost["fault"].null_count() == 0


def test_a_machine_that_died_is_named_and_nothing_has_passed(outcomes: dict[str, Outcome]) -> None:
    badly = outcomes["badly"]
    assert badly.run.code == 1, badly.run.err + badly.run.out
    assert badly.summary["verdict"] == "unknown"
    check = badly.summary["checks"]["machines"]
    assert (check["verdict"], check["missing"]) == ("unknown", 1)
    assert "swarm-d-1" in check["reason"]
    assert "machine d does not answer" in badly.run.out
    assert [path.stem for path in badly.folder.ledger.iterdir()] == ["swarm-b-1"]
    assert badly.machines["b"].code == 0
