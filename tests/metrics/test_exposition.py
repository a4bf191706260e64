"""What is written is what Prometheus' own parser reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from metrics import metric as metrics
from metrics.exposition import exposition
from metrics.metric import Kind, Metric, Point

LOAD = Metric("test_load_bytes", Kind.GAUGE, "How much,\nin a line \\ of its own.", ("who", "where"))
COUNT = Metric("test_things_total", Kind.COUNTER, "How many.")
SPREAD = Metric("test_took_seconds", Kind.HISTOGRAM, "How long.", ("what",), (0.1, 1.0, 10.0))

numbers = st.one_of(st.integers(0, 2**53).map(float), st.floats(-1e18, 1e18))
rows = st.lists(
    st.tuples(st.text(st.characters(codec="utf-8")), st.text(), numbers),
    max_size=5,
    unique_by=lambda row: row[:2],
)


@given(rows)
def test_labels_and_values_survive_whatever_they_are(told: list[tuple[str, str, float]]) -> None:
    text = exposition([LOAD.of(*(Point((who, where), value) for who, where, value in told))])
    read = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    # The parser takes a text apart at every kind of line end, the format only at \n.
    if not any(word.splitlines() not in ([], [word]) for who, where, _ in told for word in (who, where)):
        assert [(s.labels["who"], s.labels["where"], s.value) for s in read] == told


def test_a_family_has_its_help_and_its_kind() -> None:
    (family,) = text_string_to_metric_families(exposition([COUNT.value(7)]))
    assert (family.name, family.type, family.documentation) == ("test_things", "counter", "How many.")
    assert [(sample.name, sample.value) for sample in family.samples] == [("test_things_total", 7.0)]
    (family,) = text_string_to_metric_families(exposition([LOAD.value(1, "a", "b")]))
    assert family.documentation == LOAD.text


def test_buckets_are_added_up_as_the_format_wants() -> None:
    spread = SPREAD.spread({0.05: 3, 0.1: 1, 5.0: 2, 60.0: 1}, "push")
    (family,) = text_string_to_metric_families(exposition([SPREAD.of(spread)]))
    assert family.type == "histogram"
    buckets = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert {float(bound): count for bound, count in buckets.items()} == {0.1: 4, 1: 4, 10: 6, float("inf"): 7}
    rest = {s.name: s.value for s in family.samples if "le" not in s.labels}
    assert rest["test_took_seconds_count"] == 7.0
    assert rest["test_took_seconds_sum"] == pytest.approx(0.15 + 0.1 + 10.0 + 60.0)


def test_a_family_without_values_is_left_out() -> None:
    assert exposition([LOAD.of()]) == ""


def test_names_are_unique_and_say_their_kind() -> None:
    with pytest.raises(ValueError, match="_total"):
        metrics.describe("test_more", Kind.COUNTER, "")
    with pytest.raises(ValueError, match="_total"):
        metrics.describe("test_more_total", Kind.GAUGE, "")
    metrics.describe("test_described", Kind.GAUGE, "")
    with pytest.raises(ValueError, match="twice"):
        metrics.describe("test_described", Kind.GAUGE, "")
