"""Durable messages, all of them verified: how many a second, and what each part of the way costs.

As many are sent as are answered, by the shipped chat scenario between pairs of users of the reference server:
SQLite commits before SENT, every device settles, and the ledger calls the roll over the whole run.
"""

import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measured import Measured, PeerFailed, line_of, module, running, tell
from bench.row import Options, Row

NAME = "messages"
TITLE, PLACE = "messages", 3
MESSAGES = "messages/s"
_CONNECTIONS = 1000
_IN_FLIGHT = 1024
_TOKENS_S = 3600.0


def run(options: Options) -> list[Row]:
    """Messages a second, and CPU µs a message by part: `generator`, `access`, `business`, `storage` (the
    server's threads that have the database), `ledger` (judging the run). A run that the ledger does not
    pass has a note instead."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            with _server(folder, min(options.connections, _CONNECTIONS)) as server:
                figures = _send(server, folder, options.window)
        except PeerFailed as failure:
            return [Row(_WHAT, {}, note=str(failure))]
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            judged = process.submit(_judge, folder / "run").result()
    if judged.verdict != "pass":
        return [Row(_WHAT, {}, note=f"the ledger says {judged.verdict}: {judged.why}")]
    return [Row(_WHAT, figures | {_cost("ledger"): judged.cpu_s / judged.messages * 1e6})]


def parts(row: Row) -> dict[str, float]:
    """CPU µs a message by part."""
    return {name.split(":")[0]: value for name, value in row.figures.items() if name.endswith(_COST)}


@dataclass(frozen=True, slots=True)
class _Running:
    url: str
    accounts: Path
    connections: int
    store: Measured
    access: Measured


@dataclass(frozen=True, slots=True)
class _Judged:
    verdict: str
    why: str
    messages: int
    cpu_s: float


@contextmanager
def _server(folder: Path, connections: int) -> Iterator[_Running]:
    from chatproof.target import make_accounts
    from refserver import accounts
    from refserver.process import ServerProcess
    from scenarios.options import SwarmOptions

    data, file = folder / "server", folder / "accounts.csv"
    accounts.tokens(data, make_accounts(data, connections, SwarmOptions().circle), _TOKENS_S, file)
    with ServerProcess(data, http=False, access_processes=1) as server:
        store, *access = server.pids
        yield _Running(f"chat+{server.tcp_urls[0]}", file, connections, Measured([store]), Measured(access))


def _send(server: _Running, folder: Path, window_s: int) -> dict[str, float]:
    log = folder / "generator.log"
    generator = module(
        "bench.swarms._shipped",
        *("--url", server.url, "--accounts", server.accounts, "--connections", server.connections),
        *("--flight", min(_IN_FLIGHT, 4 * server.connections), "--window", window_s),
        *("--folder", folder / "run"),
    )
    with running(generator, log) as process:
        line_of(process, log)
        tell(process, b"go")
        began = json.loads(line_of(process, log))
        before = _cpu_s(server)
        ended = json.loads(line_of(process, log))
        spent = {part: cpu_s - before[part] for part, cpu_s in _cpu_s(server).items()}
        line_of(process, log)
    acked = ended["acked"] - began["acked"]
    spent = {"generator": ended["cpu_s"] - began["cpu_s"], **spent}
    return {MESSAGES: acked / (ended["at_s"] - began["at_s"])} | {
        _cost(part): cpu_s / acked * 1e6 for part, cpu_s in spent.items()
    }


def _cpu_s(server: _Running) -> dict[str, float]:
    threads = server.store.thread_cpu_s()
    hub = threads.pop(next(iter(server.store.roots)))
    return {"access": server.access.cpu_s(), "business": hub, "storage": sum(threads.values())}


def _judge(folder: Path) -> _Judged:
    """The verdict of a run folder; CPU time is that of judging, without the imports."""
    import ledger.judging
    from ledger.run_folder import RunFolder

    began = time.process_time()
    summary: dict[str, Any] = ledger.judging.judge(RunFolder(folder))
    cpu_s = time.process_time() - began
    checks = summary["checks"]
    why = "; ".join(
        f"{name} {check['verdict']}" for name, check in checks.items() if check["verdict"] == "fail"
    )
    return _Judged(summary["verdict"], why, checks["completeness"]["acked"], cpu_s)


def _cost(part: str) -> str:
    return f"{part}{_COST}"


_COST = ": µs"
_WHAT = "Chatproof, durable and verified"
