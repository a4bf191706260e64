"""What was acknowledged before a server was killed is there afterwards."""

import polars as pl

from ledger.checks import Options, register
from ledger.evidence import message_witnesses, named_devices, printable
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Result, Verdict, Witness, nothing
from ledger.roll_call import Outcome, roll_call
from ledger.tally import CHARGES


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: `kills`; `acked_before` the last of them; `lost` of these (never delivered to a settled
    device); `rolled_back`: settled devices whose inbox ends below a version acknowledged to them before.

    Nothing to check without a fault whose name contains `kill`; unknown if nothing was acknowledged before.
    """
    kills = [fault.start_ns for fault in ledger.faults if "kill" in fault.name]
    if not kills:
        return nothing("no server was killed")
    before = ledger.of("acked").filter(pl.col("at_ns") <= max(kills))
    acked = before.select(pl.col("message").n_unique()).collect(engine="streaming").item()
    if not acked:
        return nothing("nothing was acknowledged before the kill", {"kills": len(kills), "acked_before": 0})
    lost = _lost(ledger, max(kills))
    rolled_back = _rolled_back(ledger, before)
    figures = {
        "kills": len(kills),
        "acked_before": acked,
        "lost": lost["message"].n_unique(),
        "rolled_back": rolled_back.height,
    }
    if lost.is_empty() and rolled_back.is_empty():
        settled = ledger.of("settled").head(1).collect(engine="streaming").height
        if settled:
            return Result(Verdict.PASS, figures)
        return Result(Verdict.UNKNOWN, figures, reason="no device settled after the kill")
    witnesses = [*_of_lost(ledger, lost), *_of_rolled_back(ledger, rolled_back)]
    reason = f"{figures['lost']} messages lost, {rolled_back.height} inboxes rolled back"
    return Result(Verdict.FAIL, figures, tuple(witnesses[:MOST_WITNESSES]), reason)


def _lost(ledger: Ledger, killed_ns: int) -> pl.DataFrame:
    """`message`, `device` of what was acknowledged in time and never arrived."""
    gone = (pl.col("outcome") == Outcome.LOST) & (pl.col("acked_ns") <= killed_ns)
    found = [pairs.filter(gone).select("message", "device") for pairs in roll_call(ledger)]
    return pl.concat(found) if found else pl.DataFrame(schema={"message": pl.Int64, "device": pl.Int32})


def _rolled_back(ledger: Ledger, before: pl.LazyFrame) -> pl.DataFrame:
    """`device`, `acked` and `settled` version where the latter is lower."""
    promised = before.group_by("device").agg(acked=pl.col("version").max())
    kept = ledger.of("settled").group_by("device").agg(settled=pl.col("version").max())
    both = promised.join(kept, on="device").filter(pl.col("settled") < pl.col("acked"))
    return both.collect(engine="streaming")


def _of_lost(ledger: Ledger, lost: pl.DataFrame) -> tuple[Witness, ...]:
    messages = (
        lost.group_by("message")
        .agg("device")
        .sort(pl.col("device").list.len(), "message", descending=[True, False])
    )
    charges = [
        (message, CHARGES[Outcome.LOST].format(devices=named_devices(ledger, sorted(devices))))
        for message, devices in messages.head(MOST_WITNESSES).iter_rows()
    ]
    return message_witnesses(ledger, charges)


def _of_rolled_back(ledger: Ledger, devices: pl.DataFrame) -> list[Witness]:
    witnesses = []
    for device, acked, settled in devices.sort("device").head(MOST_WITNESSES).iter_rows():
        rows = ledger.of("acked", "settled").filter(pl.col("device") == device, pl.col("version") >= settled)
        text = (
            f"{named_devices(ledger, [device])} settled at version {settled}, below the acknowledged {acked}"
        )
        witnesses.append(Witness(text, printable(ledger, rows.collect(engine="streaming"))))
    return witnesses
