"""The checks: one file each, a pure function `check(ledger, options) -> Result`, found by being here."""

import importlib
import pkgutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from ledger.reader import Ledger
from ledger.result import Result, Verdict, Witness


@dataclass(frozen=True, slots=True)
class Options:
    """What a check cannot see in the ledger. `heartbeat_s`: the interval the clients kept."""

    heartbeat_s: float = 60.0
    lag_max_ms: float = 1000.0
    lag_p99_ms: float = 100.0
    late_sends_share: float = 0.01
    offered_share: float = 0.99


Check = Callable[[Ledger, Options], Result]

_checks: dict[str, Check] = {}


def register(function: Check) -> Check:
    """Makes a function the check named as its module."""
    _checks[function.__module__.rpartition(".")[2]] = function
    return function


def all_checks() -> dict[str, Check]:
    """Every check by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_checks.items()))


def run_checks(ledger: Ledger, options: Options | None = None) -> dict[str, Result]:
    """Every check's result by name. A check that fails to work is unknown, with its traceback as witness."""
    given = options or Options()
    return {name: _guarded(check, ledger, given) for name, check in all_checks().items()}


def _guarded(check: Check, ledger: Ledger, options: Options) -> Result:
    try:
        return check(ledger, options)
    except Exception as error:  # noqa: BLE001 - a check may fail in any way, and the run must still be judged
        reason = f"the check itself failed: {type(error).__name__}: {error}"
        return Result(Verdict.UNKNOWN, witnesses=(Witness(traceback.format_exc()),), reason=reason)
