"""How long the checks take over a ledger of N rows, and in how much memory.

`python -m bench.ledger --rows 50000000` writes a run without faults in closed form (clusters of four users
with two devices each, who talk in one group and two pairs in turn), then checks it in a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.run_folder import Phases, RunFolder
from ledger.schema import EVENT_LABELS, ROWS, Event
from ledger.streams import ROW_GROUP_ROWS

DEVICES, USERS, CONVERSATIONS = 8, 4, 3  # of a cluster
ROWS_PER_ROUND = 22  # of three messages: 10 to the group, 6 to each pair
ROUND_NS = 1_000_000
PUSH = 0


def member_users(kind: int) -> list[int]:
    return ([0, 1, 2, 3], [0, 1], [2, 3])[kind]


def round_columns(clusters: np.ndarray, turn: int) -> dict[str, np.ndarray]:
    """The rows of one turn: each cluster sends one message to each of its conversations."""
    parts: list[dict[str, np.ndarray]] = []
    count = len(clusters)
    noise = np.random.default_rng(turn)
    for kind in range(CONVERSATIONS):
        users = member_users(kind)
        sender = clusters * DEVICES + 2 * users[turn % len(users)]
        sent = turn * ROUND_NS * 3 + kind * ROUND_NS + noise.integers(0, ROUND_NS // 10, count)
        message = (sender << 32) | (turn * CONVERSATIONS + kind)
        own = {"message": message, "conversation": clusters * CONVERSATIONS + kind}
        version = 2 * turn + (1 if kind == 0 else 2)

        def add(event: Event, at: np.ndarray, device: np.ndarray, **columns: int | np.ndarray) -> None:
            parts.append(
                {"event": np.full(count, event), "at_ns": at, "device": device}
                | {name: np.broadcast_to(value, (count,)) for name, value in columns.items()}
            )

        placed = own | {"sequence": turn + 1, "version": version}
        add(Event.SEND, sent, sender, planned_ns=sent - 1000, **own)
        add(Event.ACKED, sent + 100_000, sender, **placed)
        for user in users:
            for device in (clusters * DEVICES + 2 * user, clusters * DEVICES + 2 * user + 1):
                is_sender = bool(device[0] == sender[0])
                at = sent + noise.integers(100_000, ROUND_NS // 2, count)
                event = Event.REPEATED if is_sender else Event.DELIVERED
                add(event, at, device, via=PUSH, code=0, **placed)
    return joined(parts)


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One set of columns in order of time; -2 stands for null."""
    columns = {}
    for field in ROWS:
        columns[field.name] = np.concatenate(
            [part.get(field.name, np.full(len(part["event"]), -2)) for part in parts]
        )
    order = np.argsort(columns["at_ns"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def edge_columns(clusters: np.ndarray, turns: int, end_ns: int) -> tuple[dict, dict]:
    """The logins before the first turn, and what is read, counted and settled after the last."""
    devices = (clusters[:, None] * DEVICES + np.arange(DEVICES)).ravel()
    login = {
        "event": np.full(len(devices), Event.LOGIN),
        "at_ns": np.full(len(devices), -1000),
        "device": devices,
    }
    login |= {"version": np.zeros(len(devices), int), "via": np.full(len(devices), PUSH + 1)}
    last = []
    for at, event in ((end_ns, Event.READ), (end_ns + 1, Event.UNREAD)):
        for kind in range(CONVERSATIONS):
            for user in member_users(kind):
                device = clusters * DEVICES + 2 * user
                row = {
                    "event": np.full(len(device), event),
                    "at_ns": np.full(len(device), at),
                    "device": device,
                }
                row["conversation"] = clusters * CONVERSATIONS + kind
                row["sequence"] = np.full(len(device), turns if event is Event.READ else 0)
                last.append(row)
    settled = {"event": np.full(len(devices), Event.SETTLED), "at_ns": np.full(len(devices), end_ns + 2)}
    last.append(settled | {"device": devices, "version": np.full(len(devices), 2 * turns)})
    return joined([login]), joined(last)


def arrow_table(columns: dict[str, np.ndarray]) -> pa.Table:
    words = {"event": pa.array(EVENT_LABELS), "via": pa.array(["push", "tcp:14000"])}
    arrays = []
    for field in ROWS:
        values = columns[field.name]
        # -2 is the null of this file, except for times, which may be anything.
        mask = None if field.name == "at_ns" else values == -2
        if field.name in words:
            codes = pa.array(values, field.type.index_type, mask=mask)
            arrays.append(pa.DictionaryArray.from_arrays(codes, words[field.name]))
        else:
            arrays.append(pa.array(values.astype(field.type.to_pandas_dtype()), mask=mask))
    return pa.table(arrays, schema=ROWS)


def write_run(run: RunFolder, rows: int, processes: int) -> None:
    """A run folder with about `rows` ledger rows in `processes` files."""
    run.create()
    clusters_in_all = max(processes, min(5000, rows // 500))
    turns = max(1, rows // (ROWS_PER_ROUND * clusters_in_all))
    end_ns = turns * ROUND_NS * 3
    for process, clusters in enumerate(np.array_split(np.arange(clusters_in_all), processes)):
        logins, ends = edge_columns(clusters, turns, end_ns)
        path = run.ledger / f"generator-{process}.parquet"
        with pq.ParquetWriter(
            path, ROWS, compression="zstd", use_dictionary=["event", "via", "code"]
        ) as writer:
            waiting = [arrow_table(logins)]
            for turn in range(turns):
                waiting.append(arrow_table(round_columns(clusters, turn)))
                if sum(map(len, waiting)) > ROW_GROUP_ROWS:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            writer.write_table(pa.concat_tables([*waiting, arrow_table(ends)]))
    clusters = range(clusters_in_all)
    run.write_tables(
        ((d, d // 2, f"u{d // 2}", f"d{d}") for d in range(clusters_in_all * DEVICES)),
        ((c * CONVERSATIONS + kind, f"g:{c}-{kind}") for c in clusters for kind in range(CONVERSATIONS)),
        (
            (c * CONVERSATIONS + kind, c * USERS + user)
            for c in clusters
            for kind in range(CONVERSATIONS)
            for user in member_users(kind)
        ),
    )
    run.save_phases(Phases(-1000, 0, end_ns, end_ns + 2))
    run.save_environment({"target": "bench", "scenario": "chat", "seed": 0})


def check(run: RunFolder) -> None:
    """Prints seconds and verdict a check, then seconds, peak memory and outcomes of all with the summary."""
    from ledger.checks import Options, all_checks
    from ledger.reader import Ledger
    from ledger.summary import summarise

    start = time.perf_counter()
    ledger = Ledger.open(run)
    results = {}
    for name, function in all_checks().items():
        began = time.perf_counter()
        results[name] = function(ledger, Options())
        print(f"{name:14} {time.perf_counter() - began:7.2f} s  {results[name].verdict}", flush=True)
    began = time.perf_counter()
    summary = summarise(ledger, results, [])
    print(f"{'summary':14} {time.perf_counter() - began:7.2f} s  {summary['verdict']}")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    took_s, cpu_s = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    print(f"{'all':14} {took_s:7.2f} s, {cpu_s:.1f} CPU s, peak {usage.ru_maxrss / 1024:.0f} MiB")
    print(summary["checks"]["completeness"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--processes", type=int, default=2, help="ledger files")
    parser.add_argument("--folder", type=Path, default=Path("runs/bench-ledger"))
    parser.add_argument("--check-only", action="store_true", help="the ledger in --folder is there already")
    options = parser.parse_args()
    run = RunFolder(options.folder)
    if options.check_only:
        check(run)
        return
    write_run(run, options.rows, options.processes)
    rows = sum(pq.read_metadata(path).num_rows for path in run.ledger.glob("*.parquet"))
    size_mib = sum(path.stat().st_size for path in run.ledger.glob("*.parquet")) / 2**20
    print(f"{rows:,} rows, {size_mib:.0f} MiB", flush=True)
    command = [sys.executable, "-m", "bench.ledger", "--check-only", "--folder", str(options.folder)]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
