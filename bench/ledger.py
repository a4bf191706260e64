"""How long the checks take over a ledger, and in how much memory.

The ledger is of a run without faults, written in closed form: clusters of four users with two devices each,
who talk in one group and two pairs in turn.
"""

import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.row import Options, Row
from ledger.run_folder import Phases, RunFolder
from ledger.schema import EVENT_LABELS, ROWS, Event
from ledger.streams import ROW_GROUP_ROWS

NAME = "ledger"
FILES = 2  # ledger files, as of as many processes
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


def edge_columns(
    clusters: np.ndarray, turns: int, end_ns: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
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
    all_clusters = range(clusters_in_all)
    run.write_tables(
        ((d, d // 2, f"u{d // 2}", f"d{d}") for d in range(clusters_in_all * DEVICES)),
        ((c * CONVERSATIONS + kind, f"g:{c}-{kind}") for c in all_clusters for kind in range(CONVERSATIONS)),
        (
            (c * CONVERSATIONS + kind, c * USERS + user)
            for c in all_clusters
            for kind in range(CONVERSATIONS)
            for user in member_users(kind)
        ),
    )
    run.save_phases(Phases(-1000, 0, end_ns, end_ns + 2))
    run.save_environment({"target": "bench", "scenario": "chat", "seed": 0})


def check(run: RunFolder) -> list[Row]:
    """A row a check, and one of all with the summary."""
    from ledger.checks import Options as CheckOptions
    from ledger.checks import all_checks
    from ledger.reader import Ledger
    from ledger.summary import summarise

    rows, results = [], {}
    before = spent()
    ledger = Ledger.open(run)
    for name, function in all_checks().items():
        began = spent()
        results[name] = function(ledger, CheckOptions())
        rows.append(Row(f"{name}: {results[name].verdict}", since(began)))
    began = spent()
    summary = summarise(ledger, results, [])
    rows.append(Row(f"summary: {summary['verdict']}", since(began)))
    return [*rows, Row("all", since(before) | peak())]


def read_all(run: RunFolder) -> list[Row]:
    """The peer: Polars adds up every column, and nothing is checked."""
    import polars as pl

    before = spent()
    rows = pl.scan_parquet(sorted(run.ledger.glob("*.parquet")))
    rows.select(pl.all().exclude("event", "via").sum(), pl.col("event", "via").n_unique()).collect()
    return [Row("Polars reads each column", since(before) | peak(), peer=True)]


def spent() -> tuple[float, float]:
    """Seconds, and CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), usage.ru_utime + usage.ru_stime


def since(began: tuple[float, float]) -> dict[str, float]:
    """What was spent since `spent` said so."""
    took_s, cpu_s = (now - then for now, then in zip(spent(), began, strict=True))
    return {"s": took_s, "CPU s": cpu_s}


def peak() -> dict[str, float]:
    """The most memory that this process had."""
    return {"peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def run(options: Options) -> list[Row]:
    """Seconds, CPU seconds and peak memory over a ledger of `rows` rows, in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        written = RunFolder(Path(folder))
        write_run(written, options.rows, FILES)
        rows = []
        for measure in (check, read_all):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                rows += process.submit(measure, written).result()
    return rows
