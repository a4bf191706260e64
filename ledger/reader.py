"""All of a run, read lazily: rows, tables, phases, faults, samples; checks and charts are functions of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pyarrow as pa

from ledger.clocks import Clock, clocks_of
from ledger.errors import LedgerError
from ledger.run_folder import Fault, Phases, RunFolder
from ledger.samples import read_lines
from ledger.schema import CONVERSATIONS, DEVICES, MEMBERS, ROWS
from ledger.streams import batches

Found = TypeVar("Found")

PART_ROWS = 25_000_000
"""Rows of a ledger that a check may hold at once, about: what keeps it within a few GiB."""

SLICE_ROWS = 1 << 19
"""Rows that a check looks at in one step when it goes through all of them."""

ROLLED_UP = ("beats", "sends", "wire", "histograms", "histogram_totals")
"""Parts of a sample that are objects; their fields become columns such as `beats_due`."""

SAMPLE_COLUMNS: dict[str, type[pl.DataType]] = {
    "process": pl.String,
    "role": pl.String,
    "at_ns": pl.Int64,
    "pid": pl.Int64,
    "rss_bytes": pl.Int64,
    "anon_bytes": pl.Int64,
    "used_bytes": pl.Int64,
    "available_bytes": pl.Int64,
    "kernel_bytes": pl.Int64,
    "cpu_s": pl.Float64,
    "fds": pl.Int64,
    "loop_lag_ms": pl.Float64,
    "collector_pause_ms": pl.Float64,
    "connections": pl.Int64,
    "target": pl.Int64,
    "opened": pl.Int64,
    "failed": pl.Int64,
    "dropped": pl.Int64,
    "beats_due": pl.Int64,
    "beats_sent": pl.Int64,
    "beats_answered": pl.Int64,
    "beats_late": pl.Int64,
    "beats_missed": pl.Int64,
    "beats_abandoned": pl.Int64,
    "sends_planned": pl.Int64,
    "sends_started": pl.Int64,
    "sends_late": pl.Int64,
    "wire_connection_s": pl.Float64,
    "wire_out_bytes": pl.Int64,
    "wire_in_bytes": pl.Int64,
    "wire_segments": pl.Int64,
    "wire_header_bytes": pl.Int64,
    "wire_beats": pl.String,
    "histograms_heartbeat": pl.String,
    "histograms_login": pl.String,
    "histograms_reconnect": pl.String,
    "histogram_totals_heartbeat": pl.String,
    "histogram_totals_login": pl.String,
    "histogram_totals_reconnect": pl.String,
}
"""Columns of `Ledger.samples` that are always there, null where a process does not report them."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A run. `rows` has the columns of `schema.ROWS`, `event` and `via` categorical, each process's rows in
    the order in which it wrote them; `samples` one row a second and process, ordered by process and time."""

    rows: pl.LazyFrame
    devices: pl.DataFrame
    conversations: pl.DataFrame
    members: pl.DataFrame
    phases: Phases
    faults: tuple[Fault, ...] = ()
    samples: pl.DataFrame = field(default_factory=lambda: _samples(()))
    environment: Mapping[str, Any] = field(default_factory=dict)
    histograms: Mapping[str, str] = field(default_factory=dict)
    killed: tuple[str, ...] = ()
    """Processes that did not close their ledger: what they did last may be missing."""
    sources: tuple[pl.LazyFrame, ...] = ()
    """The rows of each process, if known."""
    _found: dict[Callable[["Ledger"], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, folder: RunFolder | Path) -> "Ledger":
        """Reads finished Parquet files and the left-over streams of killed processes alike. What another
        machine wrote is brought to the master's clock here, and nowhere else.

        Raises LedgerError if a table, the phases or a ledger file is missing or makes no sense.
        """
        run = folder if isinstance(folder, RunFolder) else RunFolder(folder)
        environment = run.load_environment() if run.environment.exists() else {}
        clocks = clocks_of(environment)
        sources = _rows(run, clocks)
        return cls(
            rows=pl.concat(sources),
            sources=tuple(sources),
            devices=_table(run.devices),
            conversations=_table(run.conversations),
            members=_table(run.members),
            phases=run.load_phases(),
            faults=tuple(run.load_faults()),
            samples=_samples(
                {"process": path.stem, **line}
                for path in sorted(run.processes.glob("*.jsonl"))
                for line in _lines(path, clocks.get(path.stem))
            ),
            environment=environment,
            histograms=run.load_histograms(),
            killed=tuple(path.stem for path in _unclosed(run)),
        )

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        *,
        devices: Iterable[tuple[int, int, str, str]],
        conversations: Iterable[tuple[int, str]],
        members: Iterable[tuple[int, int]],
        phases: Phases | None = None,
        faults: Iterable[Fault] = (),
        samples: Iterable[Mapping[str, Any]] = (),
        environment: Mapping[str, Any] | None = None,
        killed: Iterable[str] = (),
    ) -> "Ledger":
        """A history written by hand: `rows` are dicts of `schema.ROWS` with `event` and `via` as words and
        columns that do not apply left out; tables as in `RunFolder.write_tables`; samples as written.
        Phases default to the times of the first and the last row."""
        frame = pl.DataFrame(list(rows), schema=_polars_schema(ROWS), orient="row")
        times = frame["at_ns"].sort().to_list() or [0]
        return cls(
            rows=frame.lazy(),
            devices=pl.DataFrame(list(devices), schema=_polars_schema(DEVICES), orient="row"),
            conversations=pl.DataFrame(
                list(conversations), schema=_polars_schema(CONVERSATIONS), orient="row"
            ),
            members=pl.DataFrame(list(members), schema=_polars_schema(MEMBERS), orient="row"),
            phases=phases or Phases(times[0], times[0], times[-1], times[-1]),
            faults=tuple(faults),
            samples=_samples(samples),
            environment=environment or {},
            killed=tuple(killed),
        )

    def of(self, *labels: str) -> pl.LazyFrame:
        """The rows of these events."""
        return self.rows.filter(is_event(*labels))

    def once(self, make: Callable[["Ledger"], Found]) -> Found:
        """What `make` finds in this ledger, found when first asked for: several checks need the same."""
        if make not in self._found:
            self._found[make] = make(self)
        found: Found = self._found[make]
        return found

    def parts(self, share: float = 1.0) -> int:
        """Into how many parts a check has to cut this share of the rows, to hold only one at a time."""
        return max(1, -int(-self.once(_count) * share // PART_ROWS))

    def slices(self) -> Iterator[tuple[int, pl.LazyFrame]]:
        """All rows in steps of SLICE_ROWS, each with the number of its process; a process's rows in order."""
        for process, rows in enumerate(self.sources or (self.rows,)):
            for start in range(0, rows.select(pl.len()).collect().item(), SLICE_ROWS):
                yield process, rows.slice(start, SLICE_ROWS)


def _count(ledger: Ledger) -> int:
    return int(ledger.rows.select(pl.len()).collect().item())


def is_event(*labels: str) -> pl.Expr:
    """True for rows of these events."""
    return pl.any_horizontal(pl.col("event") == label for label in labels)


def _polars_schema(schema: Any) -> pl.Schema:
    empty = pl.from_arrow(schema.empty_table())
    assert isinstance(empty, pl.DataFrame)
    return empty.schema


def _rows(run: RunFolder, clocks: Mapping[str, Clock]) -> list[pl.LazyFrame]:
    """Those of each process, on the master's clock."""
    parts = [
        _on_clock(pl.scan_parquet(finished), clocks.get(finished.stem))
        for finished in sorted(run.ledger.glob("*.parquet"))
    ]
    for stream in _unclosed(run):
        whole = list(batches(stream))
        if whole:
            table = pa.Table.from_batches(whole).unify_dictionaries()
            frame = pl.from_arrow(table)
            assert isinstance(frame, pl.DataFrame)
            parts.append(_on_clock(frame.lazy(), clocks.get(stream.stem)))
    return parts or [pl.DataFrame(schema=_polars_schema(ROWS)).lazy()]


def _on_clock(rows: pl.LazyFrame, clock: Clock | None) -> pl.LazyFrame:
    if clock is None:
        return rows
    return rows.with_columns(clock.of_master("at_ns"), clock.of_master("planned_ns"))


def _lines(path: Path, clock: Clock | None) -> Iterator[dict[str, Any]]:
    for line in read_lines(path):
        yield line if clock is None else {**line, "at_ns": clock.to_master(line["at_ns"])}


def _unclosed(run: RunFolder) -> list[Path]:
    # A process that was killed between finishing its Parquet file and removing its stream left both.
    streams = sorted(run.ledger.glob("*.arrows"))
    return [path for path in streams if not path.with_suffix(".parquet").exists()]


def _table(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise LedgerError(f"cannot read {path}: {error}; is this a run folder?") from error


def _samples(lines: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    flat = [_flat(line) for line in lines]
    frame = pl.from_dicts(flat, infer_schema_length=None) if flat else pl.DataFrame()
    missing = [pl.lit(None).alias(name) for name in SAMPLE_COLUMNS if name not in frame.columns]
    frame = frame.with_columns(missing) if flat else pl.DataFrame(schema=SAMPLE_COLUMNS)
    return frame.cast(pl.Schema(SAMPLE_COLUMNS)).sort("process", "at_ns", nulls_last=True)


def _flat(line: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in line.items() if name not in ROLLED_UP}
    for part in ROLLED_UP:
        flat.update({f"{part}_{name}": value for name, value in (line.get(part) or {}).items()})
    return flat
