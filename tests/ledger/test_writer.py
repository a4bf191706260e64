"""What a process wrote can be read, whether it closed, was killed, or had no room left."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from ledger.errors import LedgerError
from ledger.reader import Ledger
from ledger.run_folder import Fault, Phases, RunFolder
from ledger.schema import Event, message_key
from ledger.writer import FLUSH_ROWS, LedgerWriter

KILLED = """
import sys, time
from pathlib import Path
from ledger.writer import LedgerWriter
writer = LedgerWriter(Path(sys.argv[1]), "generator-1")
push = writer.via("push")
for n in range(3):
    for _ in range(1000):
        writer.add(n, None, 4, 2, 1, 0, 1, 1, push, 0)
    writer.flush()
writer.add(9, None, 4, 2, 1, 0, 1, 1, push, 0)
print("flushed", flush=True)
time.sleep(60)
"""


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.write_tables([(0, 0, "anna", "1")], [(0, "anna:bo")], [(0, 0)])
    folder.save_phases(Phases(0, 1, 2, 3))
    return folder


def test_rows_come_back_as_written_and_the_stream_is_gone(run):
    writer = LedgerWriter(run.ledger, "generator-0")
    writer.add(5, 4, Event.SEND, 0, message_key(0, 1), 0)
    writer.flush()
    writer.add(6, None, Event.DELIVERED, 2, message_key(0, 1), 0, 1, 7, writer.via("pull"), -1)
    writer.close()
    assert [path.name for path in run.ledger.iterdir()] == ["generator-0.parquet"]
    rows = Ledger.open(run).rows.collect().to_dicts()
    nothing = dict.fromkeys(("sequence", "version", "via", "code"))
    sent = {"at_ns": 5, "planned_ns": 4, "event": "send", "device": 0, "message": 1, "conversation": 0}
    assert rows[0] == sent | nothing
    assert rows[1] == sent | {
        "at_ns": 6, "planned_ns": None, "event": "delivered", "device": 2,
        "sequence": 1, "version": 7, "via": "pull", "code": -1,
    }  # fmt: skip


def test_every_row_survives_many_flushes_and_new_ways(run):
    writer = LedgerWriter(run.ledger, "generator-0")
    count = 3 * FLUSH_ROWS + 5
    for n in range(count):
        writer.add(n, None, Event.DELIVERED, n % 7, n, via=writer.via(f"tcp:{n // FLUSH_ROWS}"))
    assert writer.written == 3 * FLUSH_ROWS
    writer.close()
    writer.close()
    rows = Ledger.open(run).rows.collect()
    assert rows["message"].to_list() == list(range(count))
    assert rows["via"].cast(pl.String).to_list() == [f"tcp:{n // FLUSH_ROWS}" for n in range(count)]


def test_a_process_that_was_killed_leaves_what_it_flushed(run):
    command = [sys.executable, "-c", KILLED, str(run.ledger)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout.readline() == "flushed\n"
        process.send_signal(signal.SIGKILL)
    ledger = Ledger.open(run)
    assert ledger.killed == ("generator-1",)
    assert ledger.rows.group_by("at_ns").len().sort("at_ns").collect().rows() == [
        (0, 1000),
        (1, 1000),
        (2, 1000),
    ]


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_a_stream_that_is_cut_off_is_read_up_to_its_last_whole_batch(run, whole):
    writer = LedgerWriter(run.ledger, "generator-0")
    sizes = []
    for at in range(3):
        writer.add(at, None, Event.GAP, 0)
        writer.flush()
        sizes.append(writer.stream_path.stat().st_size)
    os.truncate(writer.stream_path, sizes[whole] - 1)
    assert Ledger.open(run).rows.collect()["at_ns"].to_list() == list(range(whole))


def test_a_stream_without_even_a_head_is_empty(run):
    (run.ledger / "generator-0.arrows").write_bytes(b"")
    assert Ledger.open(run).rows.collect().is_empty()


def test_finished_and_unfinished_processes_are_read_together(run):
    closed, killed = LedgerWriter(run.ledger, "a"), LedgerWriter(run.ledger, "b")
    closed.add(1, None, Event.LOGIN, 0, via=closed.via("tcp:1"))
    killed.add(2, None, Event.LOGIN, 1, via=killed.via("tcp:2"))
    closed.close()
    killed.flush()
    logins = Ledger.open(run).of("login").collect()
    assert logins["via"].to_list() == ["tcp:1", "tcp:2"]


def test_a_stream_beside_its_finished_parquet_is_not_read_twice(run):
    writer = LedgerWriter(run.ledger, "a")
    writer.add(1, None, Event.LOGIN, 0)
    writer.flush()
    stream = writer.stream_path.read_bytes()
    writer.close()
    writer.stream_path.write_bytes(stream)
    ledger = Ledger.open(run)
    assert (ledger.rows.collect().height, ledger.killed) == (1, ())


def test_a_full_disk_is_one_line_and_leaves_whole_batches(run):
    writer = LedgerWriter(run.ledger, "a")
    writer.add(1, None, Event.LOGIN, 0)
    writer.flush()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (writer.stream_path.stat().st_size + 100, before[1]))
    try:
        writer.add(2, None, Event.LOGIN, 0)
        with pytest.raises(LedgerError, match=r"cannot write .*a\.arrows: File too large; rows from here on"):
            writer.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    writer.add(3, None, Event.LOGIN, 0)
    writer.close()
    ledger = Ledger.open(run)
    assert (ledger.rows.collect()["at_ns"].to_list(), writer.dropped, ledger.killed) == ([1], 2, ("a",))


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(LedgerError, match=r"cannot create .*nowhere/a\.arrows: No such file"):
        LedgerWriter(tmp_path / "nowhere", "a")


def test_an_empty_ledger_can_be_read(run):
    assert Ledger.open(run).rows.collect().is_empty()
    LedgerWriter(run.ledger, "a").close()
    assert Ledger.open(run).rows.collect().is_empty()


def test_the_run_folder_gives_back_what_was_saved(run):
    later, sooner = Fault("loss", "proxy", 5, 6, {"p": 0.1}), Fault("kill", "server", 1, 2)
    run.add_fault(later)
    run.add_fault(sooner)
    run.save_environment({"seed": 7})
    run.save_histograms({"login": "x"})
    ledger = Ledger.open(run)
    assert ledger.faults == (sooner, later)
    assert (ledger.phases, ledger.environment, ledger.histograms) == (
        Phases(0, 1, 2, 3),
        {"seed": 7},
        {"login": "x"},
    )
    assert ledger.devices.rows() == [(0, 0, "anna", "1")]


def test_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(LedgerError, match="run folder"):
        Ledger.open(tmp_path)
