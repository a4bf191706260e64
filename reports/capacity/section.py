"""The part of a page that answers the planner: the sentence, the arithmetic, what it starts from, a form."""

from dataclasses import dataclass
from typing import Any

from reports.capacity import arithmetic, model
from reports.capacity.costs import Costs
from reports.figures import bare, digits, exact, size
from reports.tables import Fact
from reports.telling import Telling, figure

PLACE = "figures.capacity"


@dataclass(frozen=True, slots=True)
class Line:
    """A step of the answer: `spelled` with numbers, `result` said, both marked."""

    name: str
    label: str
    spelled: str
    result: str
    unit: str


@dataclass(frozen=True, slots=True)
class Given:
    """An input: `told` is its value, marked."""

    name: str
    label: str
    told: str
    unit: str
    source: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Section:
    """`model`: what the form in the page needs to do the same again. `fact`: for the first screen."""

    sentence: str
    doubts: tuple[str, ...]
    lines: tuple[Line, ...]
    given: tuple[Given, ...]
    model: dict[str, Any]
    figures: dict[str, Any]
    fact: Fact | None


def section(costs: Costs) -> Section:
    """The answer for the inputs as they stand; its figures belong at PLACE of summary.json (sweep.json)."""
    tell = Telling()
    given = model.inputs(costs)
    values = {one.name: one.value for one in given}
    found = model.answer(values)
    said = {one.name: one.say for one in given} | model.says()
    everything = {**model.CONSTANTS, **values, **found}
    for part, known in (("constants", model.CONSTANTS), ("inputs", values), ("steps", found)):
        tell.note(part, dict(known))

    def place(name: str) -> str:
        part = "steps" if name in found else "inputs" if name in values else "constants"
        return f"{PLACE}.{part}.{name}"

    def told(name: str) -> str:
        return figure(place(name), said[name], everything[name])

    lines = tuple(
        Line(step.name, step.label, arithmetic.spelled(step.expression, told), told(step.name), step.unit)
        for step in model.STEPS
    )
    tell.note("runs", costs.runs)
    return Section(
        sentence=_sentence(values, found),
        doubts=costs.doubts,
        lines=lines,
        given=tuple(
            Given(one.name, one.label, told(one.name), one.unit, one.source, one.asked) for one in given
        ),
        model=_for_script(given),
        figures=tell.figures,
        fact=_fact(values, found, costs.runs),
    )


def _figure(part: str, name: str, say: Any, values: Any) -> str:
    return figure(f"{PLACE}.{part}.{name}", say, values[name])


def _sentence(values: dict[str, float | None], found: dict[str, float | None]) -> str:
    def given(name: str, say: Any) -> str:
        return _figure("inputs", name, say, values)

    asked = (
        f"{given('users', exact)} users with a heartbeat each {given('heartbeat_s', bare)} s and "
        f"{given('messages_a_day', bare)} messages a day each"
    )
    if found["machines"] is None:
        return f"For {asked} the answer is withheld: not everything that it needs was measured, see below."
    return (
        f"{asked} need {_figure('steps', 'machines', exact, found)} machines of "
        f"{given('machine_cores', digits)} cores and {given('machine_bytes', size)}: "
        f"{_figure('steps', 'machines_for_cpu', exact, found)} for the processor, "
        f"{_figure('steps', 'machines_for_memory', exact, found)} for memory, whichever is more, and "
        f"{given('spare_machines', exact)} that may fail. Each would hold "
        f"{_figure('steps', 'connections_a_machine', exact, found)} connections, "
        f"{_figure('steps', 'beyond', digits, found)} times as many as were measured."
    )


def _fact(values: dict[str, float | None], found: dict[str, float | None], runs: int) -> Fact | None:
    if found["machines"] is None:
        return None
    users = _figure("inputs", "users", exact, values)
    note = "one run, a straight line" if runs == 1 else "from all steps"
    return Fact(f"Machines for {users}", _figure("steps", "machines", exact, found), note)


def _for_script(given: tuple[model.Input, ...]) -> dict[str, Any]:
    return {
        "constants": model.CONSTANTS,
        "inputs": [
            {"name": one.name, "value": one.value, "scale": one.scale, "say": one.say.__name__}
            for one in given
        ],
        "steps": [
            {"name": one.name, "expression": one.expression, "say": one.say.__name__} for one in model.STEPS
        ],
        "says": {name: say.__name__ for name, say in model.says().items()},
    }
