"""noop: everything passes. Exists because the API offers it."""

from dataclasses import dataclass

from chaos.stage import Stage
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class Noop:
    """No attributes."""


@toxic("noop", Noop, go_struct="NoopToxic")
class NoopStage(Stage[Noop]):
    """Passes all."""

    __slots__ = ()
