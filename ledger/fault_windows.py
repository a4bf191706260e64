"""Which fault was on at a moment, and when the network was whole again."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from ledger.run_folder import Fault

NONE = -1


def with_fault(frame: pl.DataFrame, column: str, faults: Sequence[Fault], grace_ns: int = 0) -> pl.DataFrame:
    """`frame` with `fault` (index into `faults`: of those on at `column`, the one that began last; NONE) and
    `fault_end_ns` (when the last of those on was over; null for none). `column` holds monotonic ns, no nulls.

    A fault counts as on until `grace_ns` after its end.
    """
    if not faults:
        return frame.with_columns(fault=pl.lit(NONE, pl.Int32), fault_end_ns=pl.lit(None, pl.Int64))
    starts, covering, ends = _segments(faults, grace_ns)
    segment = np.searchsorted(starts, frame[column].to_numpy(), side="right")
    fault = pl.Series("fault", covering[segment], dtype=pl.Int32)
    end = pl.Series("fault_end_ns", ends[segment], dtype=pl.Int64)
    return frame.with_columns(fault, end).with_columns(
        pl.when(pl.col("fault") != NONE).then(pl.col("fault_end_ns"))
    )


def _segments(faults: Sequence[Fault], grace_ns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The moments at which the set of faults changes; then, for before the first and after each of them, the
    fault that covers and the latest end."""
    spans = [(fault.start_ns, fault.end_ns + grace_ns) for fault in faults]
    moments = sorted({moment for span in spans for moment in span})
    covering, ends = [NONE], [0]
    for moment in moments:
        on = [index for index, (start, end) in enumerate(spans) if start <= moment < end]
        covering.append(max(on, key=lambda index: spans[index][0], default=NONE))
        ends.append(max((spans[index][1] for index in on), default=0))
    return np.array(moments, np.int64), np.array(covering, np.int32), np.array(ends, np.int64)
