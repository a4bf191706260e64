"""What people and machines are told of sieges."""

from collections.abc import Sequence
from typing import Any

from conformance.hostile.siege import Felt, Siege
from conformance.verdicts import Verdict

_WORDS = {Verdict.PASS: "kept", Verdict.FAIL: "VIOLATED", Verdict.UNKNOWN: "undecided"}


def header() -> str:
    """What the columns of `row` mean."""
    columns = f"{'memory':>9} {'CPU':>6} {'':>6}  {'others before':>15}  {'during, p50/p99':>15} {'':>6}"
    return f"{'attack':<21} {columns}  {'verdict':<9}"


def row(siege: Siege) -> str:
    """One attack, with what was sent, and what became of its connections, below it."""
    memory, cpu = f"+{siege.grown_bytes / 1e6:.1f} MB", f"{siege.cpu_s:.1f} s"
    figures = (
        f"{memory:>9} {cpu:>6} of {siege.duration_s:>3.0f}  {_felt(siege.calm):>15}  "
        f"{_felt(siege.during):>15} {siege.ratio:>5.1f}×"
    )
    lines = [f"{siege.attack.name:<21} {figures}  {_WORDS[siege.verdict]}"]
    lines.append(f"    {siege.sent}: {_size(siege.sent_bytes)} in all; {_ends(siege)}")
    return "\n".join([*lines, *(f"    {why}" for why in siege.why)])


def _felt(felt: Felt) -> str:
    return f"{felt.p50_s * 1e3:.1f}/{felt.p99_s * 1e3:.1f} ms"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:,.1f} kB"


def _ends(siege: Siege) -> str:
    ended = siege.ended_s
    if not ended:
        return f"none of {siege.opened:,} connections was ended"
    first, last = f"{ended[0]:.1f}", f"{ended[-1]:.1f}"
    when = f"{last} s" if first == last else f"{first} to {last} s"
    return f"{len(ended):,} of {siege.opened:,} connections were ended, after {when}"


def total(sieges: Sequence[Siege]) -> str:
    """The last line."""
    counts = {word: sum(siege.verdict is verdict for siege in sieges) for verdict, word in _WORDS.items()}
    listed = ", ".join(f"{count} {word.lower()}" for word, count in counts.items() if count)
    return f"SEC.6 under {len(sieges)} attacks: {listed}"


def figures(sieges: Sequence[Siege]) -> dict[str, Any]:
    """The content of --json; durations in seconds."""
    return {
        "attacks": [
            {
                "name": siege.attack.name,
                "sent": siege.sent,
                "duration_s": siege.duration_s,
                "sent_bytes": siege.sent_bytes,
                "connections": siege.opened,
                "ended": len(siege.ended_s),
                "ended_after_s": [siege.ended_s[0], siege.ended_s[-1]] if siege.ended_s else None,
                "grown_bytes": siege.grown_bytes,
                "limit_bytes": siege.attack.limit_bytes,
                "cpu_s": siege.cpu_s,
                "others_before": _json(siege.calm),
                "others_during": _json(siege.during),
                "ratio": siege.ratio,
                "verdict": siege.verdict.value,
                "why": siege.why,
            }
            for siege in sieges
        ]
    }


def _json(felt: Felt) -> dict[str, Any]:
    return {"messages": felt.messages, "p50_s": felt.p50_s, "p99_s": felt.p99_s}
