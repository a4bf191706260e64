"""The reference pages, made from the code: whatever registers itself is on them, so nothing here is a list.

`pages()` gives the Markdown of each by its path below docs/. `hooks.py` hands them to mkdocs at each build.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import click
import msgspec


def pages() -> dict[str, str]:
    """Markdown by path."""
    return {
        "reference/commands.md": commands(),
        "reference/plan.md": plan(),
        "reference/faults.md": faults(),
        "reference/targets.md": targets(),
        "reference/summary.md": summary(),
        "reference/comparison.md": comparison(),
        "reference/metrics.md": metrics(),
        "reference/clauses.md": clauses(),
    }


def commands() -> str:
    """Every command with its arguments and options."""
    from chatproof import cli

    cli.register()
    group = cli.chatproof
    parts = ["# Commands", _text(group.help or ""), _options(group, "chatproof")]
    for path, command in _walk(group, "chatproof"):
        usage = " ".join(
            [
                path,
                *(["[OPTIONS]"] if _flags(command) else []),
                *(_argument(each) for each in _arguments(command)),
            ]
        )
        parts += [f"## {path}", f"    {usage}", _text(command.help or ""), _options(command, path)]
    return _joined(parts)


def _walk(group: click.Group, path: str) -> Iterable[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _walk(command, f"{path} {name}")


def _flags(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def _arguments(command: click.Command) -> list[click.Parameter]:
    return [each for each in command.params if isinstance(each, click.Argument)]


def _argument(argument: click.Parameter) -> str:
    name = argument.metavar or argument.human_readable_name
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _options(command: click.Command, path: str) -> str:
    rows = []
    for option in _flags(command):
        names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
        rows.append((names, _kind(option), option.help or "", _default(option)))
    return _table(("option", "takes", "what it does", "default"), rows)


def _kind(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if option.metavar:
        return f"`{option.metavar}`"
    return f"`{option.type.name.upper()}`"


def _default(option: click.Option) -> str:
    value = option.default
    if option.is_flag or value is None or callable(value) or value == "" or repr(value) == "Sentinel.UNSET":
        return ""
    return f"`{' '.join(map(str, value)) if isinstance(value, tuple | list) else value}`"


def plan() -> str:
    """Every key of a run plan, of its tables, and the plans that come with it."""
    from importlib.resources import files

    from chaos.plan import FaultSpec
    from chatproof import plan as plans
    from scenarios.options import SwarmOptions

    tables = {"": plans.Plan, "target": plans.Target, "network": plans.NetworkPlan}
    parts = ["# Run plans", "A plan is a TOML file; `chatproof run FILE` runs it, and options go over it."]
    for name, kind in tables.items():
        parts += [f"## [{name}]" if name else "## The plan", _text(inspect.getdoc(kind) or "")]
        rows = [
            (f"`{field.name}`", f"`{_type(field.type)}`", _value(field))
            for field in msgspec.structs.fields(kind)
        ]
        parts.append(_table(("key", "type", "default"), rows))
    rows = [
        (
            f"`{option.name}`",
            f"`{type(option.default).__name__}`",
            option.metadata["help"],
            f"`{option.default}`",
        )
        for option in fields(SwarmOptions)
    ]
    parts += [
        "## [swarm]",
        "The options of the scenario: also `--set KEY=VALUE` of `chatproof run`, and `--key-with-dashes` of "
        "the Locust files.",
        _table(("key", "type", "what it is", "default"), rows),
        "## [[fault]]",
        _text(inspect.getdoc(FaultSpec) or ""),
        "Which there are, and how each is written: [faults](faults.md).",
    ]
    for name in plans.shipped():
        text = files("chatproof.plans").joinpath(f"{name}.toml").read_text()
        parts += [f"## Plan {name}", f"```toml\n{text.strip()}\n```"]
    return _joined(parts)


def _type(kind: Any) -> str:
    text = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    return re.sub(r"\b(?:typing|[a-z_.]+)\.(?=[A-Z])", "", text).replace("NoneType", "None")


def _value(field: Any) -> str:
    if field.default is not msgspec.NODEFAULT:
        return f"`{msgspec.json.encode(field.default).decode()}`"
    if field.default_factory is not msgspec.NODEFAULT and field.default_factory in (list, dict):
        return f"`{msgspec.json.encode(field.default_factory()).decode()}`"
    return "its own keys, below" if field.default_factory is not msgspec.NODEFAULT else "required"


def faults() -> str:
    """Every fault: what it does, how it is written, what it needs."""
    from chaos.fault import fault_kinds

    parts = [
        "# Faults",
        "`--fault 'NAME=VALUE at TIME for TIME on TARGET'` of `chatproof run`, a `[[fault]]` of a plan, or "
        "the switches of the Locust page. Left out, TARGET is everything.",
    ]
    for name, kind in fault_kinds().items():
        module = inspect.getdoc(inspect.getmodule(kind)) or ""
        marks = [f"works by: {kind.pulls}", *(["over at once"] if kind.instantaneous else [])]
        parts += [
            f"## {name}", f"    --fault '{kind.example}'", _text(module), _text(inspect.getdoc(kind) or ""),
            f"*{'; '.join(marks)}*",
        ]  # fmt: skip
    return _joined(parts)


def targets() -> str:
    """Every dialect with what its protocol promises, and every carrier."""
    import importlib
    import pkgutil

    import drivers.carriers
    import drivers.dialects

    parts = [
        "# Targets",
        "A target is a URL: `DIALECT+CARRIER://HOST:PORT`. What a dialect does not offer is *not offered* in "
        "checks and cases, never passed or failed.",
    ]
    for title, package, attribute in (
        ("Dialects", drivers.dialects, "DIALECT"),
        ("Carriers", drivers.carriers, "CARRIER"),
    ):
        rows = []
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            found = getattr(loaded, attribute, None)
            if found is not None:
                offers = ", ".join(f"`{each}`" for each in sorted(getattr(found, "offers", ())))
                told = (inspect.getdoc(loaded) or "").split("\n\n")[0]
                rows.append((f"`{found.name}`", told, offers))
        heads = ("name", "what it is", "offers") if title == "Dialects" else ("name", "what it is")
        parts += [f"## {title}", _table(heads, [row[: len(heads)] for row in rows])]
    return _joined(parts)


def summary() -> str:
    """Every figure of summary.json, and every check with what its own mean."""
    from ledger import latency, wire
    from ledger import summary as summaries
    from ledger.checks import all_checks
    from ledger.thresholds import paths

    parts = [
        "# summary.json",
        _text(inspect.getdoc(summaries) or ""),
        "Any figure below can be limited: `--threshold 'latency_ms.deliver.p99 < 500'`.",
        _text(inspect.getdoc(summaries.summarise) or ""),
        "## Latencies",
        _text(inspect.getdoc(latency.latencies) or ""),
        "## Bytes on the wire",
        _text(inspect.getdoc(wire) or ""),
    ]
    for name, check in sorted(all_checks().items()):
        module = inspect.getdoc(inspect.getmodule(check)) or ""
        parts += [f"## Check: {name}", _text(module), _text(inspect.getdoc(check) or "")]
    found = sorted(path for path, _ in paths(summaries.empty_summary()))
    parts += ["## Every figure", "\n".join(f"- `{path}`" for path in found)]
    return _joined(parts)


def comparison() -> str:
    """Every figure that `chatproof compare` knows."""
    from reports.compare import noise
    from reports.compare.figure import all_figures
    from reports.history.trend import KEYS

    rows = [
        (f"`{each.name}`", each.title, each.group, each.better.value, f"{each.noise:.1%}", f"{each.floor:g}")
        for each in all_figures()
    ]
    return _joined(
        [
            "# Comparisons and histories",
            _text(inspect.getdoc(noise) or ""),
            _table(("figure", "title", "group", "better", "usual noise", "least difference"), rows),
            "## Followed by `chatproof history`",
            _table(("figure", "title"), [(f"`{key.path}`", key.title) for key in KEYS]),
        ]
    )


def metrics() -> str:
    """Every metric of server and swarm."""
    import refserver.metrics
    import scenarios.measured  # noqa: F401  describes what it has
    from metrics.metric import described

    rows = [
        (f"`{each.name}`", each.kind.value, ", ".join(f"`{label}`" for label in each.labels), each.text)
        for each in described()
        if each.name.startswith("chatproof_")
    ]
    return _joined(
        [
            "# Metrics",
            "For Prometheus: the reference server has them on `/metrics` of its HTTP port, all its processes "
            "added up; a run at `--metrics-port`; Locust on its web port, behind its login if it has one. "
            "`--otlp URL` of `chatproof serve` and `chatproof run` sends the same every ten seconds to an "
            "OpenTelemetry collector (OTLP over HTTP); it needs `pip install 'chatproof[otel]'`.",
            _table(("metric", "kind", "labels", "what it is"), rows),
            f"Names of the server's begin with `{refserver.metrics.CPU.name.split('process')[0]}`.",
        ]
    )


def clauses() -> str:
    """Every clause that `chatproof conform` checks."""
    from conformance.catalogue import load

    parts, family = ["# Requirements"], ""
    rows: list[tuple[str, ...]] = []
    for clause in load().values():
        if clause.family != family and rows:
            parts += [f"## {family}", _table(("clause", "level", "what it says", "needs"), rows)]
            rows = []
        family = clause.family
        needs = ", ".join(f"`{need}`" for need in clause.needs)
        rows.append((f'<span id="{clause.id}">{clause.id}</span>', clause.level.value, clause.text, needs))
    return _joined([*parts, f"## {family}", _table(("clause", "level", "what it says", "needs"), rows)])


def _text(text: str) -> str:
    """A docstring or help text as Markdown: what is set apart with blanks stays so, the rest flows."""
    paragraphs = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if "\b" in paragraph or all(line.startswith(("    ", "|")) for line in paragraph.splitlines()):
            lines = paragraph.replace("\b", "").strip("\n").splitlines()
            is_table = lines and all(line.lstrip().startswith("|") for line in lines)
            paragraphs.append("\n".join(lines if is_table else [f"    {line.strip()}" for line in lines]))
        else:
            paragraphs.append(_safe(paragraph))
    return "\n\n".join(paragraphs)


def _safe(text: str) -> str:
    """No tags, and no link where brackets are meant as brackets."""
    text = re.sub(r"<(?=[A-Za-z/])", "&lt;", text)
    return re.sub(r"(?m)^\[(\w+)\]:", r"\\[\1]:", text).replace("[[", r"\[\[").replace("](", "] (")


def _table(heads: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    told = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    if not told:
        return ""
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *told])


def _cell(text: str) -> str:
    text = text if text.startswith("<span") else _safe(text)
    return " ".join(text.split()).replace("|", r"\|")


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def missing(page: str, names: Mapping[str, Any] | Iterable[str]) -> list[str]:
    """Those of the names that the page does not mention as code or heading."""
    return [name for name in names if f"`{name}`" not in page and f"## {name}\n" not in page]
