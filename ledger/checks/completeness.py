"""Every acknowledged message is accounted for on every device that should have it, once and unchanged."""

from itertools import chain, zip_longest
from typing import Any

import polars as pl

from ledger.checks import Options, register
from ledger.evidence import named_devices, printable
from ledger.inbox_versions import InboxVersions, inbox_versions
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Result, Verdict, Witness, nothing
from ledger.roll_call import FAILURES, Outcome, cleared, roll_call, unreadable
from ledger.tally import Tally
from ledger.traffic import traffic


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: those of `traffic`; `expected` pairs of message and device, and what became of them by the
    names of `Outcome`; `unsettled`: pairs that are missing on devices which did not settle; `late_max_ms`
    after the end of the fault; `by_fault`; `version_holes` and `versions_reused` of the inboxes.

    Fails on anything lost, altered, unexpected or duplicated, a hole or a reused version. Unknown if nothing
    was sent, all is undetermined, or something is missing on a device that did not settle.
    """
    tally = Tally()
    tally.add_cleared(cleared(ledger))
    for pairs in roll_call(ledger):
        tally.add(pairs)
    unplaced = ledger.once(unreadable).filter(pl.col("message").is_null())
    versions = inbox_versions(ledger, MOST_WITNESSES)
    figures = traffic(ledger) | tally.figures(ledger)
    figures["altered"] += unplaced.height
    figures |= {"version_holes": versions.holes, "versions_reused": versions.reused}
    failures = _failures(figures)
    if not figures["expected"] and not failures:
        return nothing("no message was sent to anybody", figures)
    verdict, reason = _verdict(figures, failures)
    if verdict is Verdict.PASS:
        return Result(verdict, figures)
    return Result(verdict, figures, _witnesses(ledger, tally, unplaced, versions), reason)


def _failures(figures: dict[str, Any]) -> dict[str, int]:
    names = (*(outcome.value for outcome in FAILURES), "version_holes", "versions_reused")
    return {name: figures[name] for name in names if figures[name]}


def _verdict(figures: dict[str, Any], failures: dict[str, int]) -> tuple[Verdict, str]:
    if failures:
        return Verdict.FAIL, ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in failures.items()
        )
    if figures["undetermined"] >= figures["expected"]:
        return Verdict.UNKNOWN, "everything is undetermined"
    if figures["unsettled"]:
        return Verdict.UNKNOWN, f"{figures['unsettled']} are missing on devices that did not settle"
    return Verdict.PASS, ""


def _witnesses(
    ledger: Ledger, tally: Tally, unplaced: pl.DataFrame, versions: InboxVersions
) -> tuple[Witness, ...]:
    """One of each kind in turn, so that eight lost messages do not hide a duplicated one."""
    by_message = tally.witnesses(ledger)
    undetermined = by_message.pop(Outcome.UNDETERMINED, ())
    kinds = [*by_message.values(), _of_unplaced(ledger, unplaced), _of_holes(ledger, versions)]
    kinds.append(_of_reuses(ledger, versions))
    in_turn = [witness for witness in chain.from_iterable(zip_longest(*kinds)) if witness]
    return tuple([*in_turn, *undetermined][:MOST_WITNESSES])


def _of_unplaced(ledger: Ledger, unplaced: pl.DataFrame) -> tuple[Witness, ...]:
    return tuple(
        Witness(
            f"a message that cannot be read was shown on {named_devices(ledger, [row['device'][0]])}, "
            f"where nothing acknowledged stands (sequence {row['sequence'][0]}, version {row['version'][0]})",
            printable(ledger, row),
        )
        for row in unplaced.head(MOST_WITNESSES).iter_slices(1)
    )


def _of_holes(ledger: Ledger, versions: InboxVersions) -> tuple[Witness, ...]:
    witnesses = []
    for device, first, last in versions.hole_examples:
        beside = pl.col("version").is_between(first - 1, last + 1)
        rows = ledger.rows.filter(pl.col("device") == device, beside).collect(engine="streaming")
        missing = f"version {first}" if first == last else f"versions {first} to {last}"
        text = f"{named_devices(ledger, [device])} settled without {missing} of its inbox"
        witnesses.append(Witness(text, printable(ledger, rows)))
    return tuple(witnesses)


def _of_reuses(ledger: Ledger, versions: InboxVersions) -> tuple[Witness, ...]:
    witnesses = []
    for device, version in versions.reuse_examples:
        twice = (pl.col("device") == device) & (pl.col("version") == version)
        rows = ledger.of("delivered", "repeated").filter(twice).collect(engine="streaming")
        text = f"version {version} of {named_devices(ledger, [device])} names two messages"
        witnesses.append(Witness(text, printable(ledger, rows)))
    return tuple(witnesses)
