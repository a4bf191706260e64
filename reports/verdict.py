"""The one line on top: what the exit code of the run meant, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.figures import exact, plural


@dataclass(frozen=True, slots=True)
class Headline:
    """`tone`: good, bad or unsure; `code`: the exit code that says the same, None without a summary."""

    tone: str
    word: str
    line: str
    code: int | None


def headline(summary: Mapping[str, Any], interrupted: bool) -> Headline:
    """The worst that is true: interrupted, a check failed, unknown, a threshold missed, all good."""
    verdict = summary.get("verdict")
    checks = summary.get("checks", {})
    failed = [name for name, check in checks.items() if check.get("verdict") == "fail"]
    unknown = [name for name, check in checks.items() if check.get("verdict") == "unknown"]
    missed = [t["expression"] for t in summary.get("thresholds", []) if not t.get("ok")]
    if not summary:
        return Headline("unsure", "Unknown", "The run left no summary: nothing was judged.", None)
    if interrupted:
        so_far = "a check had failed" if failed else "no check had failed"
        return Headline(
            "bad" if failed else "unsure", "Interrupted", f"The run was interrupted; by then {so_far}.", 130
        )
    if verdict == "fail":
        return Headline("bad", "Fail", f"{plural(len(failed), 'check')} failed: {', '.join(failed)}.", 1)
    if verdict != "pass":
        return Headline("unsure", "Unknown", f"No verdict: {_why(checks, unknown)}.", 1)
    if missed:
        return Headline(
            "bad",
            "Threshold missed",
            f"All checks pass, but {plural(len(missed), 'threshold')} missed: {'; '.join(missed)}.",
            99,
        )
    return Headline("good", "Pass", _proof(checks.get("completeness", {})), 0)


def _why(checks: Mapping[str, Any], unknown: list[str]) -> str:
    reasons = [f"{name} ({checks[name].get('reason') or 'nothing to check'})" for name in unknown]
    return "; ".join(reasons) or "nothing was checked"


def _proof(completeness: Mapping[str, Any]) -> str:
    acked, expected = completeness.get("acked"), completeness.get("expected")
    if acked is None or expected is None:
        return "All checks pass."
    return (
        f"All checks pass: all {exact(acked)} acknowledged messages are accounted for "
        f"in {exact(expected)} expected deliveries."
    )
