"""A run folder as comparison needs it. Several of one setup are a side."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reports.compare.seconds import Seconds
from reports.errors import ReportError
from reports.evidence import Evidence
from reports.opening import opened

_EMBEDDED = "embedded"


class Run:
    """`summary` and `evidence` of one run folder; `seconds`: those of its load."""

    def __init__(self, path: Path, evidence: Evidence, summary: Mapping[str, Any]) -> None:
        self.path = path
        self.evidence = evidence
        self.summary = summary

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def environment(self) -> Mapping[str, Any]:
        return self.evidence.ledger.environment

    @cached_property
    def seconds(self) -> Seconds:
        return Seconds(self.evidence)

    @property
    def dialect(self) -> str:
        """The protocol it spoke: told by the run, or by the scheme of its target."""
        told = self.environment.get("dialect")
        return str(told) if told else dialect_of(str(self.environment.get("target") or _EMBEDDED))

    @property
    def server(self) -> str:
        """Which server it was pointed at: one that the run started, by name, or the target."""
        for key in ("server", "start"):
            told = self.environment.get(key)
            if isinstance(told, str) and told:
                return told
        target = str(self.environment.get("target") or _EMBEDDED)
        return "reference server" if target == _EMBEDDED else target

    @property
    def is_valid(self) -> bool:
        """Whether its latencies are the server's: its generator was not overloaded."""
        return bool(self.summary.get("latency_valid", True))

    def at(self, path: str) -> float | None:
        """The figure at a dotted path of the summary; None where it has none."""
        found: Any = self.summary
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


@dataclass(frozen=True, slots=True)
class Side:
    """Repeated runs of one setup; `label` tells it from the other sides."""

    label: str
    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        return self.runs[0]


def dialect_of(target: str) -> str:
    """`chat` of `embedded`, `mqtt` of `mqtt+ws://host`."""
    return "chat" if target == _EMBEDDED else target.partition("://")[0].partition("+")[0]


@contextmanager
def sides_of(groups: Sequence[Sequence[Path]]) -> Iterator[list[Side]]:
    """A side for each group of run folders, the first being the one that the others are compared with.

    Raises ReportError for what is no run folder, or for a run that was never judged.
    """
    with ExitStack() as stack:
        found = []
        for group in groups:
            runs = []
            for path in group:
                evidence, summary = stack.enter_context(opened(path))
                if not summary:
                    raise ReportError(f"{path} was never judged: it has no summary.json")
                runs.append(Run(path, evidence, summary))
            found.append(tuple(runs))
        yield [Side(label, runs) for label, runs in zip(_labels(found), found, strict=True)]


def _labels(sides: Sequence[tuple[Run, ...]]) -> list[str]:
    """By server where those differ, else by folder; two of the same name are numbered."""
    servers = {(run.server, run.dialect) for runs in sides for run in runs}
    if len(servers) == len(sides) > 1:
        labels = [f"{runs[0].server} ({runs[0].dialect})" for runs in sides]
    else:
        labels = [runs[0].name + (f" and {len(runs) - 1} more" if len(runs) > 1 else "") for runs in sides]
    return [
        label if labels.count(label) == 1 else f"{label} #{labels[: place + 1].count(label)}"
        for place, label in enumerate(labels)
    ]
