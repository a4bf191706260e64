"""Everything of the report that is not a chart: key figures, thresholds, checks, witnesses, faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.evidence import NS_PER_S, Evidence
from reports.figures import count, duration, exact, second, size

_HIDDEN = {"verdict", "witnesses", "reason", "checked"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its name and, where it helps, what it means."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """What went wrong, with the verdict of its check, and the rows that show it: a tuple of cells each."""

    check: str
    verdict: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def key_figures(evidence: Evidence, summary: Mapping[str, Any]) -> list[Fact]:
    """The figures that both kinds of readers ask for first, as far as the summary has them."""
    latency = summary.get("latency_ms", {})
    deliver, ack = latency.get("deliver") or {}, latency.get("ack") or {}
    links, server = summary.get("connections") or {}, summary.get("server") or {}
    facts = []
    doubt = "" if summary.get("latency_valid", True) else "doubtful: the tester was overloaded"
    if deliver.get("count"):
        facts.append(
            Fact(
                "Delivery, median",
                duration(deliver["p50"]),
                doubt or (f"ack {duration(ack['p50'])}" if ack.get("count") else ""),
            )
        )
        facts.append(
            Fact(
                "Delivery, 99 %",
                duration(deliver["p99"]),
                doubt or f"worst {duration(deliver['max'])}",
            )
        )
    if links:
        target = links.get("target", 0)
        facts.append(Fact("Connections", count(links.get("peak", 0)), f"of {exact(target)} planned"))
        facts.append(
            Fact("Dropped", count(links.get("dropped", 0)), f"{exact(links.get('failed', 0))} failed tries")
        )
    sent = (summary.get("checks") or {}).get("completeness", {}).get("sent", 0)
    if sent and (load_s := evidence.load_s):
        facts.append(Fact("Messages sent", f"{count(sent / load_s)}/s", f"{exact(sent)} in {second(load_s)}"))
    if server.get("bytes_per_connection"):
        facts.append(Fact("Server memory", size(server["bytes_per_connection"]), "a connection, user space"))
    return facts


def checks(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """name, verdict (`unchecked` if there was nothing to check), reason, figures as (name, value) pairs;
    failures first."""
    worst_first = {"fail": 0, "unknown": 1, "pass": 2, "unchecked": 3}
    rows = [
        {
            "name": name,
            "verdict": str(check.get("verdict", "unknown")) if check.get("checked", True) else "unchecked",
            "reason": check.get("reason", ""),
            "figures": [(_words(key), _cell(value)) for key, value in check.items() if key not in _HIDDEN],
        }
        for name, check in (summary.get("checks") or {}).items()
    ]
    return sorted(rows, key=lambda row: worst_first.get(row["verdict"], 1))


def thresholds(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """expression, ok, value, error (of one that means nothing)."""
    return [
        {
            "expression": t.get("expression", ""),
            "ok": bool(t.get("ok")),
            "value": _cell(t.get("value")),
            "error": t.get("error", ""),
        }
        for t in summary.get("thresholds") or []
    ]


def faults(evidence: Evidence) -> list[dict[str, Any]]:
    """label, target, from, to, lasted, detail, colour: one a fault."""
    return [
        {
            "label": band.label,
            "target": band.target,
            "start": second(band.start_s),
            "end": second(band.end_s),
            "lasted": "at once" if band.instant else second(band.end_s - band.start_s),
            "detail": _detail(band.detail),
            "colour": band.colour,
        }
        for band in evidence.bands
    ]


def _detail(detail: Mapping[str, Any]) -> str:
    """Every key with its value, flat; a fault that sums itself up first."""
    flat = {
        name: value
        for key, inner in detail.items()
        for name, value in (inner.items() if isinstance(inner, Mapping) else [(key, inner)])
        if key not in ("summary", "color")
    }
    pairs = [f"{name} = {'/'.join(map(str, v)) if isinstance(v, list) else v}" for name, v in flat.items()]
    return ", ".join([*([str(detail["summary"])] if "summary" in detail else []), *pairs]) or "–"


def witness(
    evidence: Evidence, check: str, verdict: str, text: str, rows: Sequence[Mapping[str, Any]]
) -> Witness:
    """The rows as a timeline: time since the load began, then the columns that any of them uses."""
    names = dict.fromkeys(key for row in rows for key in row if row[key] is not None)
    return Witness(
        check,
        verdict,
        text,
        tuple("time" if name == "at_s" else _words(name) for name in names),
        tuple(tuple(_witness_cell(evidence, name, row.get(name)) for name in names) for row in rows),
    )


def _witness_cell(evidence: Evidence, name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name == "at_s":
        # Witnesses count from the start of the run; the report has one clock, and it starts with the load.
        since_load = value + (evidence.ledger.phases.start_ns - evidence.zero_ns) / NS_PER_S
        return f"{since_load:.3f} s".replace("-", "−")
    return str(value)


def _words(name: str) -> str:
    return name.replace("_", " ").removesuffix(" ns")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return exact(value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else exact(value)
    if isinstance(value, Mapping):
        parts = [
            f"{_words(str(key))}: {_cell(inner)}"
            if isinstance(inner, Mapping)
            else f"{_words(str(key))} {_cell(inner)}"
            for key, inner in value.items()
        ]
        return ("; " if any(isinstance(inner, Mapping) for inner in value.values()) else ", ").join(
            parts
        ) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(inner) for inner in value) or "–"
    return str(value)
