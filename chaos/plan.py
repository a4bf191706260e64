"""Faults as people write them: one line of text, or a table of a TOML plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import ALL, Fault, fault_kinds
from chaos.packet_fault import PacketFault
from chaos.quantities import seconds
from chaos.where import Where

_WORDS = {"at": "at", "for": "for", "on": "target", "stream": "stream"}
_KEYS = ("fault", "value", "at", "for", "target", "stream", "phase")


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """What goes wrong, when, for how long, where. `for_s` None: until the end of the run, or at once over.
    `phase`: of a fault plan, "" for none."""

    name: str
    value: str | None = None
    at_s: float = 0.0
    for_s: float | None = None
    target: str = ALL
    stream: str | None = None
    phase: str = ""

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> "FaultSpec":
        """{fault = "latency", value = "300ms", at = "20s", for = "15s", target = "*"}.

        Times may also be numbers of seconds. Raises FaultSyntaxError.
        """
        unknown = sorted(set(table) - set(_KEYS))
        if unknown:
            raise FaultSyntaxError(f"a fault has no {unknown[0]!r}; there are {', '.join(_KEYS)}")
        if not isinstance(table.get("fault"), str):
            raise FaultSyntaxError(f"a fault needs `fault`, one of {', '.join(fault_kinds())}")
        for key in ("target", "stream", "phase"):
            if not isinstance(table.get(key, ""), str):
                raise FaultSyntaxError(f"{key} of {table['fault']} has to be a text, is {table[key]!r}")
        value = table.get("value")
        spec = cls(
            name=table["fault"],
            value=None if value is None else str(value),
            at_s=_time(table.get("at", 0)),
            for_s=_time(table["for"]) if "for" in table else None,
            target=table.get("target", ALL),
            stream=table.get("stream"),
            phase=table.get("phase", ""),
        )
        spec.fault()
        return spec

    def fault(self) -> Fault[Any]:
        """A fresh fault to be applied. Raises FaultSyntaxError."""
        kinds = fault_kinds()
        if self.name not in kinds:
            raise FaultSyntaxError(f"there is no fault {self.name!r}; there are {', '.join(kinds)}")
        kind = kinds[self.name]
        if kind.instantaneous and self.for_s is not None:
            raise FaultSyntaxError(f"{self.name} happens at one moment, `for` makes no sense with it")
        where = self.where
        kind.check_target(where.name)
        if where.clients < 1 and not kind.per_client:
            raise FaultSyntaxError(f"{self.name} is on for everybody, it cannot be {self._written()}")
        if where.connections < 1 and not kind.per_connection:
            raise FaultSyntaxError(f"{self.name} knows no connections, it cannot be {self._written()}")
        return kind.parse(self.value, self.stream)

    def _written(self) -> str:
        return f"on {self.target}: leave that out"

    @property
    def where(self) -> Where:
        """Raises FaultSyntaxError."""
        return Where.parse(self.target)

    @property
    def picks_clients(self) -> bool:
        """True when it is for some of the clients, whoever they are."""
        return self.where.clients < 1

    def as_mapping(self) -> dict[str, Any]:
        """The table of a plan that gives it again."""
        table = {
            "fault": self.name,
            "value": self.value,
            "at": self.at_s,
            "for": self.for_s,
            "target": self.target,
            "stream": self.stream,
            "phase": self.phase or None,
        }
        return {key: value for key, value in table.items() if value is not None}

    def as_text(self) -> str:
        """As `parse_fault` reads it."""
        words = [self.name if self.value is None else f"{self.name}={self.value}", f"at {self.at_s:g}s"]
        words += [f"for {self.for_s:g}s"] if self.for_s is not None else []
        words += [f"on {self.target}"] if self.target != ALL else []
        words += [f"stream {self.stream}"] if self.stream else []
        return " ".join(words)

    def check_network(self, kind: str | None) -> None:
        """Raises FaultSyntaxError when the fault needs another network than one of that kind, None for the
        machine's own."""
        fault = fault_kinds()[self.name]
        if issubclass(fault, PacketFault) and kind not in fault.networks:
            kinds = " or ".join(f'"{each}"' for each in fault.networks)
            has = "it has none of its own" if kind is None else f'its kind is "{kind}"'
            raise FaultSyntaxError(f"{self.name} needs a network of kind {kinds}, but {has}")

    @property
    def pulls(self) -> str:
        """The lever that it needs (`chaos.levers`)."""
        return fault_kinds()[self.name].pulls

    @property
    def color(self) -> str:
        """For charts."""
        return fault_kinds()[self.name].color

    def summary(self) -> str:
        """Such as "latency 300ms±100ms on access-1"."""
        said = f"{self.fault().summary()} on {'all' if self.target == ALL else self.target}"
        return f"{self.phase}: {said}" if self.phase else said


def parse_fault(text: str) -> FaultSpec:
    """`frame_loss=5% at 10s for 20s on access-1`, the parts behind the fault in any order, each at most once.

    Raises FaultSyntaxError.
    """
    words = text.split()
    if not words:
        raise FaultSyntaxError(f"an empty fault; there are {', '.join(fault_kinds())}")
    name, equals, value = words[0].partition("=")
    table: dict[str, Any] = {"fault": name}
    if equals:
        table["value"] = value
    rest = words[1:]
    for word, argument in zip(rest[::2], [*rest[1::2], None], strict=False):
        if word not in _WORDS:
            raise FaultSyntaxError(f"{word!r} in {text!r}: behind a fault there are {', '.join(_WORDS)}")
        if argument is None:
            raise FaultSyntaxError(f"{text!r} ends behind {word!r}, where something has to follow")
        if _WORDS[word] in table:
            raise FaultSyntaxError(f"{text!r} says {word!r} twice")
        table[_WORDS[word]] = argument
    return FaultSpec.from_mapping(table)


def _time(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    return seconds(str(value))
