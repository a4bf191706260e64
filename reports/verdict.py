"""The one line on top: what the exit code of the run meant, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.roll_call import FAILURES
from ledger.summary import exit_code
from reports.figures import exact, plural


@dataclass(frozen=True, slots=True)
class Headline:
    """`tone`: good, bad or unsure; `code`: the exit code that says the same, None without a summary."""

    tone: str
    word: str
    line: str
    code: int | None


def headline(summary: Mapping[str, Any], interrupted: bool) -> Headline:
    """The first that is true: not judged, interrupted, a check failed, unknown, threshold missed, pass."""
    checks = summary.get("checks") or {}
    failed = [f"{name}{_reason(check)}" for name, check in checks.items() if check.get("verdict") == "fail"]
    missed = [str(t.get("expression")) for t in summary.get("thresholds") or [] if not t.get("ok")]
    misses = f"{plural(len(missed), 'threshold')} missed: {'; '.join(missed)}." if missed else ""
    interrupted = interrupted or bool(summary.get("interrupted"))
    if not summary:
        return Headline("unsure", "Unknown", "The run left no summary: nothing was judged.", None)
    if interrupted:
        line = f"The run was interrupted; by then {_failures(failed) if failed else 'no check had failed.'}"
        return Headline("bad" if failed else "unsure", "Interrupted", line, 130)
    if summary.get("verdict") == "fail":
        return Headline("bad", "Fail", f"{_failures(failed)} {misses}".strip(), exit_code(summary))
    if summary.get("verdict") != "pass":
        return Headline(
            "unsure", "Unknown", f"No verdict: {_why(checks)}. {misses}".strip(), exit_code(summary)
        )
    if missed:
        return Headline("bad", "Threshold missed", f"All checks pass, but {misses}", exit_code(summary))
    return Headline("good", "Pass", _proof(checks.get("completeness") or {}), exit_code(summary))


def _failures(failed: list[str]) -> str:
    return f"{plural(len(failed), 'check')} failed: {', '.join(failed)}."


def _reason(check: Mapping[str, Any]) -> str:
    counted = [f"{exact(check[name])} {name}" for name in FAILURES if check.get(name)]
    reason = ", ".join(counted) or check.get("reason")
    return f" ({reason})" if reason else ""


def _why(checks: Mapping[str, Any]) -> str:
    unknown = {name: check for name, check in checks.items() if check.get("verdict") == "unknown"}
    # A check that had nothing to check makes a run unknown only where no other check is the cause.
    unknown = {name: check for name, check in unknown.items() if check.get("checked", True)} or unknown
    reasons = [f"{name} ({check.get('reason') or 'nothing to check'})" for name, check in unknown.items()]
    return "; ".join(reasons) or "nothing was checked"


def _proof(completeness: Mapping[str, Any]) -> str:
    acked, expected = completeness.get("acked"), completeness.get("expected")
    if acked is None or expected is None:
        return "All checks pass."
    return (
        f"All checks pass: all {exact(acked)} acknowledged messages are accounted for "
        f"in {exact(expected)} expected deliveries."
    )
