"""The one line on top: what the exit code of the run meant, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.roll_call import FAILURES
from ledger.summary import exit_code
from reports.figures import exact
from reports.telling import Telling, figure


@dataclass(frozen=True, slots=True)
class Headline:
    """`tone`: good, bad or unsure; `code`: the exit code that says the same, None without a summary; `line`
    has marked numbers, of which those that the summary had not are `figures`."""

    tone: str
    word: str
    line: str
    code: int | None
    figures: Mapping[str, Any] = field(default_factory=dict)


def headline(summary: Mapping[str, Any], interrupted: bool) -> Headline:
    """The first that is true: not judged, interrupted, a check failed, unknown, threshold missed, pass."""
    if not summary:
        return Headline("unsure", "Unknown", "The run left no summary: nothing was judged.", None)
    tell = Telling()
    tone, word, line, code = _judged(summary, interrupted or bool(summary.get("interrupted")), tell)
    tell.note("exit_code", code)
    return Headline(tone, word, line, code, tell.figures)


def _judged(summary: Mapping[str, Any], interrupted: bool, tell: Telling) -> tuple[str, str, str, int]:
    checks = summary.get("checks") or {}
    failed = [
        f"{name}{_reason(name, check)}" for name, check in checks.items() if check.get("verdict") == "fail"
    ]
    missed = [str(t.get("expression")) for t in summary.get("thresholds") or [] if not t.get("ok")]
    misses = (
        f"{tell.plural('thresholds_missed', len(missed), 'threshold')} missed: {'; '.join(missed)}."
        if missed
        else ""
    )
    failures = f"{tell.plural('checks_failed', len(failed), 'check')} failed: {', '.join(failed)}."
    code = exit_code(summary)
    if interrupted:
        line = f"The run was interrupted; by then {failures if failed else 'no check had failed.'}"
        return "bad" if failed else "unsure", "Interrupted", line, 130
    if summary.get("verdict") == "fail":
        return "bad", "Fail", f"{failures} {misses}".strip(), code
    if summary.get("verdict") != "pass":
        return "unsure", "Unknown", f"No verdict: {_why(checks)}. {misses}".strip(), code
    if missed:
        return "bad", "Threshold missed", f"All checks pass, but {misses}", code
    return "good", "Pass", _proof(summary, checks.get("completeness") or {}), code


def _reason(name: str, check: Mapping[str, Any]) -> str:
    counted = [
        f"{figure(f'checks.{name}.{failure}', exact, check[failure])} {failure}"
        for failure in FAILURES
        if check.get(failure)
    ]
    reason = ", ".join(counted) or check.get("reason")
    return f" ({reason})" if reason else ""


def _why(checks: Mapping[str, Any]) -> str:
    unknown = {name: check for name, check in checks.items() if check.get("verdict") == "unknown"}
    # A check that had nothing to check makes a run unknown only where no other check is the cause.
    unknown = {name: check for name, check in unknown.items() if check.get("checked", True)} or unknown
    reasons = [f"{name} ({check.get('reason') or 'nothing to check'})" for name, check in unknown.items()]
    return "; ".join(reasons) or "nothing was checked"


def _proof(summary: Mapping[str, Any], completeness: Mapping[str, Any]) -> str:
    acked, expected = completeness.get("acked"), completeness.get("expected")
    beats = summary.get("heartbeats") or {}
    if expected:
        return (
            f"All checks pass: all {figure('checks.completeness.acked', exact, acked)} acknowledged messages "
            f"are accounted for in {figure('checks.completeness.expected', exact, expected)} expected "
            "deliveries."
        )
    if beats.get("sent"):
        return (
            f"All checks pass: {figure('heartbeats.answered', exact, beats['answered'])} of "
            f"{figure('heartbeats.sent', exact, beats['sent'])} heartbeats were answered, "
            f"{figure('heartbeats.missed', exact, beats['missed'])} missed."
        )
    return "All checks pass."
