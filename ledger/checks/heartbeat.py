"""Connections whose client beat in time were left alone, and clients noticed no silence without a fault."""

import polars as pl

from ledger.checks import Options, register
from ledger.connections import connection_rows, losses
from ledger.evidence import named_devices, printable
from ledger.fault_windows import NONE, with_fault
from ledger.figures import BEATS, totals
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Result, Verdict, Witness, nothing
from ledger.schema import CloseReason

BY_SERVER = (CloseReason.EOF, CloseReason.RESET)
FOUND = ("missed_without_fault", "wrongly_cleared", "silences", "silences_without_fault")


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: beats `due`, `sent`, `answered`, `late`, `missed`, `abandoned` (under way when the device left
    on purpose); `in_time`: the share of those not abandoned that was answered, and not late;
    `missed_without_fault`; `wrongly_cleared`: connections that the server ended while no fault
    was on, unasked and unannounced; `silences`: clients that closed because nothing came back,
    `silences_without_fault` of them.

    A fault counts as on until two heartbeats after its end. Passes when none was wrongly cleared and beats
    were missed under faults only; unknown if no beat was sent.
    """
    grace_ns = int(2 * options.heartbeat_s * 1e9)
    beats = totals(ledger.samples, "beats", BEATS)
    if not beats["sent"]:
        return nothing("no heartbeat was sent", beats | {"in_time": None} | dict.fromkeys(FOUND, 0))
    lost = losses(ledger, grace_ns)
    calm = pl.col("fault") == NONE
    by_server = pl.col("reason").is_in([int(reason) for reason in BY_SERVER])
    told = pl.col("told").fill_null(False)
    silent = lost.filter(pl.col("reason") == int(CloseReason.SILENCE))
    cleared, unprovoked = lost.filter(calm & by_server & ~told), silent.filter(calm)
    missed = _missed_without_fault(ledger, grace_ns)
    found = (missed, cleared.height, silent.height, unprovoked.height)
    figures = beats | {"in_time": _in_time(beats)} | dict(zip(FOUND, found, strict=True))
    if not missed and cleared.is_empty() and unprovoked.is_empty():
        return Result(Verdict.PASS, figures)
    witnesses = [
        *_witnesses(ledger, cleared, "was cut off by the server while no fault was on"),
        *_witnesses(ledger, unprovoked, "heard nothing from the server while no fault was on"),
    ]
    counts = f"{cleared.height} connections cleared, {unprovoked.height} silences, {missed} beats missed"
    reason = f"without a fault: {counts}"
    return Result(Verdict.FAIL, figures, tuple(witnesses[:MOST_WITNESSES]), reason)


def _in_time(beats: dict[str, int]) -> float | None:
    owed = beats["sent"] - beats["abandoned"]
    return (beats["answered"] - beats["late"]) / owed if owed else None


def _missed_without_fault(ledger: Ledger, grace_ns: int) -> int:
    """Beats that became missed in seconds in which no fault was on, before the run had settled."""
    generators = ledger.samples.filter(pl.col("at_ns") <= ledger.phases.settle_end_ns)
    seconds = generators.select(
        "at_ns", missed=pl.col("beats_missed").diff().fill_null(pl.col("beats_missed")).over("process")
    ).filter(pl.col("missed") > 0)
    return int(
        with_fault(seconds, "at_ns", ledger.faults, grace_ns).filter(pl.col("fault") == NONE)["missed"].sum()
    )


def _witnesses(ledger: Ledger, lost: pl.DataFrame, charge: str) -> list[Witness]:
    return [
        Witness(
            f"{named_devices(ledger, [row['device']])} {charge}, "
            f"at {(row['at_ns'] - ledger.phases.start_ns) / 1e9:.3f} s",
            printable(ledger, connection_rows(ledger, row["device"])),
        )
        for row in lost.sort("at_ns", "device").head(MOST_WITNESSES).to_dicts()
    ]
