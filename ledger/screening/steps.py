"""What was delivered and repeated, in steps that fit into memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from ledger.messages import NULL, Messages
from ledger.reader import Ledger, is_event
from ledger.schema import ALTERED, FOREIGN


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of one process, in its order: columns of the ledger (NULL, or -1 for a conversation, where there
    is none), `row`: which in the whole ledger, from 1 on; `number` of the message, -1 if it was never sent;
    `shown`: delivered, not repeated; `odd`: altered or pulled."""

    process: int
    row: np.ndarray
    at_ns: np.ndarray
    device: np.ndarray
    message: np.ndarray
    number: np.ndarray
    conversation: np.ndarray
    sequence: np.ndarray
    version: np.ndarray
    shown: np.ndarray
    foreign: np.ndarray
    odd: np.ndarray

    def of_this_run(self) -> "Step":
        """What the applications were shown of this run's messages."""
        mine = self.shown & ~self.foreign
        if mine.all():
            return self
        columns = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return Step(self.process, **{name: column[mine] for name, column in columns.items()})


def steps(ledger: Ledger, messages: Messages) -> Iterator[Step]:
    """Each process's rows in turn; the next step is read while one is looked at."""
    rows = 0
    with ThreadPoolExecutor(1) as reading:
        slices = ((process, reading.submit(_columns, slice_)) for process, slice_ in ledger.slices())
        following = next(slices, None)
        while following is not None:
            process, columns = following
            following = next(slices, None)
            read = columns.result()
            count = len(read["at_ns"])
            row = np.arange(rows + 1, rows + count + 1, dtype=np.uint32)
            rows += count
            yield Step(process, row=row, number=messages.numbers(read["message"]), **read)


def _columns(rows: pl.LazyFrame) -> dict[str, np.ndarray]:
    code = pl.col("code").fill_null(0)
    wanted = (
        pl.col("at_ns"),
        pl.col("device"),
        pl.col("message", "sequence", "version").fill_null(NULL),
        pl.col("conversation").fill_null(-1),
        (pl.col("event") == "delivered").alias("shown"),
        (code == FOREIGN).alias("foreign"),
        ((code == ALTERED) | (pl.col("via") == "pull").fill_null(False)).alias("odd"),
    )
    frame = rows.filter(is_event("delivered", "repeated")).select(wanted).collect()
    return {column.name: column.to_numpy() for column in frame}
