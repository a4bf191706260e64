import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.figures import Costs, by_second, peak, totals
from ledger.histograms import Histograms, as_text, merged, merged_seconds
from ledger.reader import SAMPLE_COLUMNS, Ledger
from ledger.run_folder import Phases, RunFolder
from ledger.run_histograms import run_histograms
from ledger.samples import SampleWriter, read_lines

SECOND = 10**9


def open_samples(tmp_path, **processes):
    run = RunFolder(tmp_path)
    run.create()
    run.write_tables([], [], [])
    run.save_phases(Phases(0, 0, 0, 0))
    for process, lines in processes.items():
        writer = SampleWriter(run.processes, process)
        for line in lines:
            writer.write(line)
        writer.close()
    return Ledger.open(run).samples


def test_samples_come_back_flat_with_every_known_column(tmp_path):
    samples = open_samples(
        tmp_path,
        server=[{"at_ns": 2, "role": "server", "rss_bytes": 9}],
        g=[{"at_ns": 2, "beats": {"due": 4}}, {"at_ns": 1, "histograms": {"login": "x"}}],
    )
    assert samples["process"].to_list() == ["g", "g", "server"]
    assert samples["at_ns"].to_list() == [1, 2, 2]
    assert samples["beats_due"].to_list() == [None, 4, None]
    assert samples["histograms_login"].to_list() == ["x", None, None]
    assert set(SAMPLE_COLUMNS) <= set(samples.columns)


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b'{"at_ns":1}\n{"at_')
    assert read_lines(path) == [{"at_ns": 1}]


def test_a_second_and_the_total_hold_every_recorded_value():
    histograms = Histograms()
    for value in (0.001, 0.002, 0.002):
        histograms.record("login", value)
    first = as_text(histograms.flush()["login"])
    histograms.record("login", 3.0)
    second = as_text(histograms.flush()["login"])
    assert merged_seconds([first]).get_total_count() == 3
    both = merged_seconds([first, second])
    total = merged([histograms.totals()["login"]])
    for quantile in (10, 50, 75, 100):
        assert both.get_value_at_percentile(quantile) == total.get_value_at_percentile(quantile)
    assert total.get_value_at_percentile(50) == pytest.approx(2000, rel=0.001)
    assert total.get_value_at_percentile(100) == pytest.approx(3_000_000, rel=0.001)
    assert histograms.flush() == {}


def test_a_processs_own_total_stands_for_its_seconds_and_a_killed_one_has_only_those(tmp_path):
    def told(pid, *, closes):
        histograms, lines = Histograms(), []
        for second in (1, 2):
            histograms.record("login", second / 1000)
            lines.append(
                {
                    "at_ns": pid + second,
                    "pid": pid,
                    "histograms": {"login": as_text(histograms.flush()["login"])},
                }
            )
        return [*lines, {"at_ns": pid + 3, "pid": pid, "histogram_totals": histograms.totals()}][: 2 + closes]

    # g was killed, started again under its name, and closed.
    samples = open_samples(
        tmp_path, g=[*told(10, closes=False), *told(20, closes=True)], h=told(30, closes=True)
    )
    login = merged([run_histograms(samples)["login"]])
    assert login.get_total_count() == 6
    assert login.get_value_at_percentile(100) == pytest.approx(2000, rel=0.001)
    without_seconds = samples.with_columns(histograms_login=pl.lit(None, pl.String))
    assert merged([run_histograms(without_seconds)["login"]]).get_total_count() == 4
    assert list(run_histograms(samples)) == ["login"]


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9, 4000.0])
def test_durations_out_of_range_are_kept_at_its_edge(seconds):
    histograms = Histograms()
    histograms.record("x", seconds)
    assert merged_seconds([as_text(histograms.flush()["x"])]).get_total_count() == 1


@given(st.lists(st.floats(1e-6, 3600.0), min_size=1, max_size=50))
def test_a_second_tells_each_value_to_three_digits(values):
    histograms = Histograms()
    for value in values:
        histograms.record("x", value)
    second = merged_seconds([as_text(histograms.flush()["x"])])
    assert second.get_total_count() == len(values)
    assert second.get_value_at_percentile(100) == pytest.approx(max(values) * 1e6, rel=0.006, abs=1)


def test_a_text_that_tells_no_counts_is_refused():
    with pytest.raises(ValueError, match="no counts of durations"):
        merged_seconds(["700:1", "fast"])


def test_counts_add_up_over_processes(tmp_path):
    samples = open_samples(
        tmp_path,
        a=[
            {"at_ns": SECOND, "opened": 1, "connections": 5},
            {"at_ns": 2 * SECOND, "opened": 3, "connections": 1},
        ],
        b=[{"at_ns": 2 * SECOND + 5, "opened": 10, "connections": 2}],
    )
    assert totals(samples, "", ("opened", "failed")) == {"opened": 13, "failed": 0}
    assert by_second(samples, "connections").rows() == [(1, 5), (2, 3)]
    assert (peak(samples, "connections"), peak(samples, "target")) == (5, 0)


def test_bytes_a_connection_are_what_the_peak_took_more_than_the_moment_before_the_first(tmp_path):
    server = [
        {
            "at_ns": at * SECOND + 1,
            "role": "server",
            "rss_bytes": 7 * own,
            "anon_bytes": own,
            "cpu_s": at * 0.5,
        }
        for at, own in enumerate((900, 1000, 1500, 3000, 2500))
    ]
    generator = [
        {"at_ns": at * SECOND, "role": "generator", "connections": count}
        for at, count in enumerate((0, 0, 5, 10, 3))
    ]
    figures = Costs.of(open_samples(tmp_path, s=server, g=generator), "server").figures(10)
    assert figures == {
        "processes": 1,
        "rss_bytes": 21000,
        "bytes_per_connection": 200,
        "cpu_s": 2.0,
    }


def test_the_machine_tells_its_extremes_and_what_a_connection_took_of_it(tmp_path):
    machine = [
        {"at_ns": at * SECOND + 1, "role": "machine", "used_bytes": used, "available_bytes": 9000 - used}
        for at, used in enumerate((900, 1000, 1500, 3000, 3500))
    ]
    generator = [
        {"at_ns": at * SECOND, "role": "generator", "connections": count}
        for at, count in enumerate((0, 0, 5, 10, 3))
    ]
    figures = Costs.of(open_samples(tmp_path, m=machine, g=generator), "machine").machine(10)
    assert figures == {
        "used_bytes": 3500,
        "available_bytes": 5500,
        "bytes_per_connection": 200,
        "kernel_bytes_per_connection": None,
    }
