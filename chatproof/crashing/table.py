"""What people and machines are told of a crash loop."""

from statistics import median
from typing import Any

from chatproof.crashing.blows import Victim
from chatproof.crashing.rounds import Outcome, Round, Settings

_SHOWN = 12


def line(one: Round) -> str:
    """A round that is over."""
    back = "not back" if one.restart is None else f"back in {one.restart.took_s:.2f} s"
    said = f"{one.acknowledged:>4} acknowledged, {one.packages:>3} packages, {one.repeated:>3} repeated"
    word = f"{len(one.violations)} VIOLATIONS" if one.violations else "kept"
    return (
        f"round {one.number:>3}  {one.blow.victim:<14} killed {one.blow.moment:<16} "
        f"{back}  {said}, {one.entries:>5} inbox entries  {word}"
    )


def figures(outcome: Outcome, settings: Settings, duration_s: float) -> dict[str, Any]:
    """The content of --json; durations in seconds."""
    completeness = outcome.judged.get("completeness")
    return {
        "seed": settings.seed,
        "access_processes": settings.access_processes,
        "duration_s": round(duration_s, 3),
        "rounds": len(outcome.rounds),
        "kills": {
            victim.value: sum(each.blow.victim is victim for each in outcome.rounds) for victim in Victim
        },
        "restart_s": _spread([it.took_s for it in outcome.restarts]),
        "restart_without_waits_s": _spread([it.own_s for it in outcome.restarts]),
        "sends_acknowledged": sum(each.acknowledged for each in outcome.rounds),
        "packages_acknowledged": sum(each.packages for each in outcome.rounds),
        "repeated": sum(each.repeated for each in outcome.rounds),
        "inbox_entries": sum(each.entries for each in outcome.rounds),
        "deliveries": completeness.figures["expected"] if completeness is not None else 0,
        "checks": {name: result.verdict.value for name, result in outcome.judged.items()},
        "violations": outcome.violations(settings.restart_limit_s),
        "undecided": outcome.undecided(settings.restart_limit_s),
    }


def _spread(durations_s: list[float]) -> dict[str, float]:
    return {"p50": median(durations_s), "max": max(durations_s)} if durations_s else {}


def _told(spread: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f} s" for name, value in spread.items()) or "none"


def closing(told: dict[str, Any]) -> str:
    """The table at the end, from `figures`."""
    restart, own = told["restart_s"], told["restart_without_waits_s"]
    kills = ", ".join(f"{count} of {victim}" for victim, count in told["kills"].items() if count)
    sends, packages = told["sends_acknowledged"], told["packages_acknowledged"]
    rows = {
        "rounds": f"{told['rounds']} in {told['duration_s']:.0f} s, seed {told['seed']}",
        "kills": kills,
        "restarts": f"{_told(restart)}; without waits for a core {_told(own)}",
        "sends acknowledged": f"{sends:,} messages, {packages:,} packages among them",
        "repeated": f"{told['repeated']:,}",
        "deliveries checked": f"{told['deliveries']:,} on devices, {told['inbox_entries']:,} in inboxes",
        "ledger": ", ".join(f"{name} {verdict}" for name, verdict in told["checks"].items()) or "not judged",
        "violations": f"{len(told['violations']):,}",
    }
    lines = ["", *(f"{name:<20} {value}" for name, value in rows.items())]
    lines += [f"  {text}" for text in told["violations"][:_SHOWN]]
    if told["undecided"]:
        lines.append(f"undecided            {told['undecided']}")
    return "\n".join(lines)
