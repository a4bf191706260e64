"""The Arrow IPC stream of a running process, and the Parquet file it becomes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.errors import LedgerError
from ledger.schema import ROWS

ROW_GROUP_ROWS = 1 << 18


def batches(path: Path) -> Iterator[Any]:
    """The whole record batches of a stream, in order; a tail that a kill cut off is left out."""
    with pa.OSFile(str(path)) as file:
        try:
            stream = pa.ipc.open_stream(file)
            while True:
                yield stream.read_next_batch()
        except (StopIteration, OSError, pa.ArrowInvalid):
            return


def parquet_from_stream(stream: Path, parquet: Path) -> None:
    """`parquet` holds every row of `stream`, which is gone. Holds about ROW_GROUP_ROWS rows in memory.

    Raises LedgerError, and leaves the stream as it is, if the file cannot be completed.
    """
    unfinished = parquet.with_suffix(".unfinished")
    try:
        with pq.ParquetWriter(
            unfinished,
            ROWS,
            compression="zstd",
            use_dictionary=["event", "via", "device", "conversation", "code"],
        ) as writer:
            for group in _groups(stream):
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
        unfinished.rename(parquet)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise LedgerError(f"cannot write {parquet}: {error}; the rows stay in {stream.name}") from error
    stream.unlink()


def _groups(stream: Path) -> Iterator[Any]:
    """Tables of about ROW_GROUP_ROWS rows: small row groups would cost the reader more than the rows."""
    waiting: list[Any] = []
    rows = 0
    for batch in batches(stream):
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= ROW_GROUP_ROWS:
            yield pa.Table.from_batches(waiting).unify_dictionaries()
            waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting).unify_dictionaries()
