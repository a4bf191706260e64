"""Appends rows to `<process>.arrows` while a process runs and leaves `<process>.parquet` when it closes.

Every flush hands whole record batches to the operating system, so a process that is killed loses at most what
it did since its last flush, and what lies in the stream up to there is readable.
"""

import io
import os
from pathlib import Path

import pyarrow as pa

from ledger.errors import LedgerError
from ledger.schema import EVENT_LABELS, ROWS
from ledger.streams import parquet_from_stream

FLUSH_ROWS = 4096

Row = tuple[
    int, int | None, int, int, int | None, int | None, int | None, int | None, int | None, int | None
]  # in the order of schema.ROWS; event and via as codes

_STREAM = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_EVENTS = pa.array(EVENT_LABELS, pa.string())


class LedgerWriter:
    """The ledger of one process. One thread (or hub) at a time.

    After a write error the stream is readable up to its last whole batch; later rows are dropped and counted
    in `dropped`, and the process can go on to report.
    """

    def __init__(self, folder: Path, process: str) -> None:
        """`folder`: the run's `ledger/`. Raises LedgerError if the stream cannot be created there."""
        self.stream_path = folder / f"{process}.arrows"
        self.parquet_path = folder / f"{process}.parquet"
        self.written = 0
        self.dropped = 0
        self._rows: list[Row] = []
        self._vias: dict[str, int] = {}
        self._failed = False
        self._closed = False
        try:
            self._file = os.open(self.stream_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            raise LedgerError(f"cannot create {self.stream_path}: {error.strerror}") from error
        self._encoded = io.BytesIO()
        self._stream = pa.ipc.new_stream(self._encoded, ROWS, options=_STREAM)
        self._hand_over()

    def via(self, name: str) -> int:
        """The code of a way (push, pull, poll) or path (tcp:14000), for `add`."""
        return self._vias.setdefault(name, len(self._vias))

    def add(
        self,
        at_ns: int,
        planned_ns: int | None,
        event: int,
        device: int,
        message: int | None = None,
        conversation: int | None = None,
        sequence: int | None = None,
        version: int | None = None,
        via: int | None = None,
        code: int | None = None,
    ) -> None:
        """Keeps one row; raises what `flush` raises, at most once in FLUSH_ROWS rows."""
        rows = self._rows
        rows.append((at_ns, planned_ns, event, device, message, conversation, sequence, version, via, code))
        if len(rows) >= FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        """All rows so far are with the operating system. Raises LedgerError, once, if that fails."""
        rows, self._rows = self._rows, []
        if self._failed:
            self.dropped += len(rows)
            return
        if not rows:
            return
        self._stream.write_batch(self._batch(rows))
        try:
            self._hand_over()
        except LedgerError:
            self.dropped += len(rows)
            raise
        self.written += len(rows)

    def close(self) -> None:
        """`<process>.parquet` holds every row and the stream is gone; after an error the stream stays.

        Raises LedgerError if the last rows or the Parquet file cannot be written. Closing again does nothing.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
        finally:
            os.close(self._file)
        if self._failed:
            return
        parquet_from_stream(self.stream_path, self.parquet_path)

    def _batch(self, rows: list[Row]) -> pa.RecordBatch:
        columns = list(zip(*rows, strict=True))
        vias = pa.array(list(self._vias), pa.string())
        arrays = []
        for field, values in zip(ROWS, columns, strict=True):
            if pa.types.is_dictionary(field.type):
                codes = pa.array(values, field.type.index_type)
                words = _EVENTS if field.name == "event" else vias
                arrays.append(pa.DictionaryArray.from_arrays(codes, words))
            else:
                arrays.append(pa.array(values, field.type))
        return pa.record_batch(arrays, schema=ROWS)

    def _hand_over(self) -> None:
        """Moves the encoded bytes into the file. Nothing follows a torn batch: it is where readers stop."""
        encoded = self._encoded.getvalue()
        self._encoded.seek(0)
        self._encoded.truncate()
        left = memoryview(encoded)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            self._failed = True
            raise LedgerError(
                f"cannot write {self.stream_path}: {error.strerror}; rows from here on are dropped"
            ) from error
