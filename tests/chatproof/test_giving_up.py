"""Who interrupts a second time has had enough: nobody is waited for, and nothing is left."""

import signal
from pathlib import Path

import psutil
from command_line import Command

_RUN = ("--connections", "20", "--processes", "2", "--rate", "20", "--duration", "900s", "--ramp", "1s",
        "--set", "cohort=10", "--set", "settle_timeout=900", "--out", "run")  # fmt: skip


def test_a_second_ctrl_c_does_not_wait_for_a_swarm_process_that_stands_still(tmp_path: Path) -> None:
    run = Command("run", *_RUN, cwd=tmp_path)
    try:
        run.lines_until("load begins")
        # Forked from it, they are called what it is called.
        itself = psutil.Process(run.process.pid)
        swarm = [each for each in itself.children() if each.cmdline() == itself.cmdline()]
        assert len(swarm) == 2
        swarm[0].suspend()
        run.process.send_signal(signal.SIGINT)
        run.lines_until("interrupted:")
        run.process.send_signal(signal.SIGINT)
        ended = run.end()
    finally:
        run.kill_all()
    assert (ended.code, ended.err.strip(), ended.left) == (130, "chatproof: interrupted", ())
