"""What is entered in bulk reads as if Locust had counted each event."""

from hypothesis import given
from hypothesis import strategies as st
from locust.stats import RequestStats

from scenarios.totals import Totals

NAMES = [("CONN", "login"), ("SEND", "acknowledge"), ("RECV", "deliver")]

happened = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(NAMES), st.integers(0, 90_000_000).map(lambda us: us / 1e6)),
        st.tuples(st.sampled_from(NAMES), st.sampled_from(["refused", "reset"])),
        st.none(),
    ),
    max_size=60,
)


def figures(stats: RequestStats) -> dict[tuple[str, str], object]:
    entries = {**stats.entries, ("Aggregated", ""): stats.total}
    return {
        key: (
            entry.num_requests,
            entry.num_failures,
            round(entry.min_response_time or 0, 3) if entry.num_requests > entry.num_failures else None,
            round(entry.max_response_time, 3),
            dict(entry.response_times),
            [entry.get_response_time_percentile(share) for share in (0.5, 0.9, 0.99, 1.0)],
            sum(entry.num_reqs_per_sec.values()),
        )
        for key, entry in entries.items()
        if entry.num_requests
    }


@given(happened)
def test_the_figures_are_those_of_single_events(events: list[tuple[tuple[str, str], object] | None]) -> None:
    ours, locusts = RequestStats(), RequestStats()
    totals = Totals(ours)
    for event in events:
        if event is None:
            totals.flush()
            continue
        (method, name), what = event
        if isinstance(what, str):
            totals.fail(method, name, what)
            locusts.log_request(method, name, 0, 0)
            locusts.log_error(method, name, what)
        else:
            totals.add(method, name, what)
            locusts.log_request(method, name, what * 1000, 0)
    totals.flush()
    assert figures(ours) == figures(locusts)
    assert {key: error.occurrences for key, error in ours.errors.items()} == {
        key: error.occurrences for key, error in locusts.errors.items()
    }
    mean, expected = ours.total.avg_response_time, locusts.total.avg_response_time
    assert abs(mean - expected) <= 1


def test_nothing_is_entered_twice() -> None:
    stats = RequestStats()
    totals = Totals(stats)
    totals.add("RECV", "deliver", 0.1)
    totals.flush()
    totals.flush()
    assert stats.total.num_requests == 1
