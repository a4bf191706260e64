"""Everything of the report that is not a chart: key figures, thresholds, checks, faults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.evidence import Evidence
from reports.figures import bare, count, digits, duration, exact, second, size
from reports.telling import Say, Telling, figure

_HIDDEN = {"verdict", "witnesses", "reason", "checked"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its name and, where it helps, what it means."""

    label: str
    value: str
    note: str = ""


def key_figures(evidence: Evidence, summary: Mapping[str, Any], tell: Telling) -> list[Fact]:
    """The figures that both kinds of readers ask for first, as far as the summary has them."""
    latency = summary.get("latency_ms", {})
    deliver, ack = latency.get("deliver") or {}, latency.get("ack") or {}
    doubt = "" if summary.get("latency_valid", True) else "doubtful: the tester was overloaded"

    def took(path: str, value: float) -> str:
        return figure(f"latency_ms.{path}", duration, value)

    facts = []
    if deliver.get("count"):
        answered = f"ack {took('ack.p50', ack['p50'])}" if ack.get("count") else ""
        worst = f"worst {took('deliver.max', deliver['max'])}"
        facts.append(Fact("Delivery, median", took("deliver.p50", deliver["p50"]), doubt or answered))
        facts.append(Fact("Delivery, 99 %", took("deliver.p99", deliver["p99"]), doubt or worst))
    facts += _links(summary.get("connections") or {})
    sent = (summary.get("checks") or {}).get("completeness", {}).get("sent", 0)
    if sent and (load_s := evidence.load_s):
        rate = tell("sent_a_second", count, sent / load_s)
        counted = figure("checks.completeness.sent", exact, sent)
        facts.append(Fact("Messages sent", f"{rate}/s", f"{counted} in {tell('load_s', second, load_s)}"))
    return facts + _costs(summary)


def _links(links: Mapping[str, Any]) -> list[Fact]:
    if not links:
        return []
    peak, target, dropped, failed = (
        figure(f"connections.{name}", say, links.get(name, 0))
        for name, say in (("peak", count), ("target", exact), ("dropped", count), ("failed", exact))
    )
    return [
        Fact("Connections", peak, f"of {target} planned"),
        Fact("Dropped", dropped, f"{failed} failed tries"),
    ]


def _costs(summary: Mapping[str, Any]) -> list[Fact]:
    facts = []
    server = summary.get("server") or {}
    if server.get("bytes_per_connection"):
        cost = figure("server.bytes_per_connection", size, server["bytes_per_connection"])
        facts.append(Fact("Server memory", cost, "a connection, user space"))
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
            "figures": [
                (words(key), _cell(value, f"checks.{name}.{key}"))
                for key, value in check.items()
                if key not in _HIDDEN
            ],
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
            "value": _cell(t.get("value"), f"thresholds.{nth}.value"),
            "error": t.get("error", ""),
        }
        for nth, t in enumerate(summary.get("thresholds") or [])
    ]


def faults(evidence: Evidence, tell: Telling) -> list[dict[str, Any]]:
    """label, target, start, end, lasted, detail, colour: one a fault. `start` and `end` count from the
    beginning of the load, as everything in the report does."""
    return [
        {
            "label": band.label,
            "target": band.target,
            "start": tell(f"{nth}.start_s", second, band.start_s),
            "end": tell(f"{nth}.end_s", second, band.end_s),
            "lasted": "at once"
            if band.instant
            else tell(f"{nth}.lasted_s", second, band.end_s - band.start_s),
            "detail": _detail(band.detail, f"faults.{nth}.detail"),
            "colour": band.colour,
        }
        for nth, band in enumerate(evidence.bands)
    ]


def _detail(detail: Mapping[str, Any], path: str) -> str:
    """Every key with its value, flat; a fault that sums itself up first."""
    flat = {
        name: (value, f"{path}.{key}.{name}" if isinstance(inner, Mapping) else f"{path}.{key}")
        for key, inner in detail.items()
        for name, value in (inner.items() if isinstance(inner, Mapping) else [(key, inner)])
        if key not in ("summary", "color")
    }
    # Ports and seeds are names as much as numbers.
    pairs = [f"{name} = {_cell(value, at, bare)}" for name, (value, at) in flat.items()]
    return ", ".join([*([str(detail["summary"])] if "summary" in detail else []), *pairs]) or "–"


def words(name: str) -> str:
    """A key of the summary as people read it."""
    return name.replace("_", " ").removesuffix(" ns")


def _cell(value: Any, path: str, say: Say = digits) -> str:
    """Any value of the summary as a text; `path`: where it has it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return figure(path, say, value)
    if isinstance(value, Mapping):
        parts = [
            f"{words(str(key))}{':' * isinstance(inner, Mapping)} {_cell(inner, f'{path}.{key}', say)}"
            for key, inner in value.items()
        ]
        return ("; " if any(isinstance(inner, Mapping) for inner in value.values()) else ", ").join(
            parts
        ) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(inner, f"{path}.{nth}", say) for nth, inner in enumerate(value)) or "–"
    return str(value)
