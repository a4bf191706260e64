"""What a process pays to keep a ledger: rows written and closed, against csv and JSON lines."""

import csv
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.row import Options, Row
from ledger.schema import Event
from ledger.writer import LedgerWriter

NAME = "writer"
MOST_ROWS = 500_000

Delivery = tuple[int, None, int, int, int, int, int, int, int, int]


def run(options: Options) -> list[Row]:
    """CPU µs a row until the file is closed (for ours: until it is Parquet), and bytes a row on disk."""
    count = min(options.rows, MOST_ROWS)
    ways: dict[str, Callable[[Path, int], Path]] = {"ours (Parquet)": _ours, "csv": _csv, "json lines": _json}
    rows = []
    for what, write in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            path = write(Path(folder), count)
            took_s = time.process_time() - began
            figures = {
                "rows a CPU s": count / took_s,
                "µs a row": took_s / count * 1e6,
                "bytes a row": path.stat().st_size / count,
            }
        rows.append(Row(what, figures, peer=write is not _ours))
    return rows


def _deliveries(count: int) -> Iterator[Delivery]:
    for n in range(count):
        sender, device = n * 7919 % 20_000, n * 104_729 % 20_000
        yield (
            n * 1000,
            None,
            Event.DELIVERED,
            device,
            sender << 32 | n // 20_000,
            n % 5000,
            n // 5000,
            n // 20_000,
            0,
            0,
        )


def _ours(folder: Path, count: int) -> Path:
    writer = LedgerWriter(folder, "generator")
    writer.via("push")
    for row in _deliveries(count):
        writer.add(*row)
    writer.close()
    return writer.parquet_path


def _csv(folder: Path, count: int) -> Path:
    path = folder / "generator.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for row in _deliveries(count):
            writer.writerow(row)
    return path


def _json(folder: Path, count: int) -> Path:
    path = folder / "generator.jsonl"
    with path.open("w") as file:
        for row in _deliveries(count):
            file.write(json.dumps(row) + "\n")
    return path
