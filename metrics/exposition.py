"""Families in Prometheus' text format, version 0.0.4."""

from collections.abc import Iterable, Iterator

from metrics.metric import Distribution, Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(families: Iterable[Family]) -> str:
    """One text; families without a value are left out."""
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    metric = family.metric
    if not family.points:
        return
    yield f"# HELP {metric.name} {_escaped(metric.text, quotes=False)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for point in family.points:
        if isinstance(point, Distribution):
            yield from _buckets(family, point)
        else:
            yield f"{metric.name}{_labels(metric.labels, point.labels)} {_number(point.value)}"


def _buckets(family: Family, point: Distribution) -> Iterator[str]:
    metric, below = family.metric, 0
    names = (*metric.labels, "le")
    for bound, count in zip((*map(_number, metric.bounds), "+Inf"), point.counts, strict=True):
        below += count
        yield f"{metric.name}_bucket{_labels(names, (*point.labels, bound))} {below}"
    yield f"{metric.name}_sum{_labels(metric.labels, point.labels)} {_number(point.total)}"
    yield f"{metric.name}_count{_labels(metric.labels, point.labels)} {below}"


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{told}}}" if told else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quotes else text
