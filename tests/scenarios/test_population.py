"""The numbers of devices, users, circles and conversations agree with each other, whatever the sizes."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.names import conversation_between
from scenarios.population import Population, PopulationError


@st.composite
def populations(draw: st.DrawFn) -> Population:
    size, circle = draw(st.integers(2, 120)), draw(st.integers(2, 9))
    share = draw(st.floats(0, 1))
    try:
        return Population(size, circle, share)
    except PopulationError:
        assume(False)
        raise


cohorts = st.integers(0, 40)


@given(populations(), cohorts)
def test_every_device_of_a_cohort_has_exactly_one_user(population: Population, cohort: int) -> None:
    devices = range(cohort * population.cohort_size, (cohort + 1) * population.cohort_size)
    users = range(cohort * population.users, (cohort + 1) * population.users)
    of_users = [device for user in users for device in population.devices_of_user(user)]
    assert sorted(of_users) == list(devices)
    for user in users:
        assert {population.user_of(device) for device in population.devices_of_user(user)} == {user}


@given(populations(), cohorts)
def test_a_users_devices_have_names_of_their_own(population: Population, cohort: int) -> None:
    for user in range(cohort * population.users, (cohort + 1) * population.users):
        names = [population.device_name(device) for device in population.devices_of_user(user)]
        assert names == [f"d{number}" for number in range(len(names))]
        assert names, "a user without a device"


@given(populations(), st.integers(1, 4))
def test_circles_part_the_users_and_stay_within_a_cohort(population: Population, count: int) -> None:
    circles = list(population.circles(count))
    assert [user for circle in circles for user in circle] == list(range(count * population.users))
    for circle in circles:
        assert len(circle) == population.circle
        assert {population.circle_of(user) for user in circle} == {circle}
        assert len({user // population.users for user in circle}) == 1


@given(st.integers(1, 300), st.integers(1, 50))
def test_the_share_of_cohorts_that_chat_is_spread_evenly(count: int, stride: int) -> None:
    population = Population(20, 5, 0.0, 1 / stride)
    chatting = [cohort for cohort in range(count) if population.chats(cohort)]
    assert chatting == list(range(0, count, stride))
    assert population.chatting(count) == len(chatting)
    assert {circle.start // population.users for circle in population.circles(count)} == set(chatting)


@given(populations(), st.integers(1, 4))
def test_each_conversation_has_one_number_one_name_and_its_members(
    population: Population, count: int
) -> None:
    numbers = []
    for index, circle in enumerate(population.circles(count)):
        ids = [f"u{user}" for user in circle]
        names = population.conversation_names(ids)
        members = population.conversation_members(circle)
        assert len(names) == len(set(names)) == len(members) == population.conversations
        for place, (name, users) in enumerate(zip(names, members, strict=True)):
            number = index * population.conversations + place
            numbers.append(number)
            if name.startswith("g:"):
                assert (name, users) == (f"g:{ids[0]}", tuple(circle))
                assert {population.conversation_of_group(user) for user in circle} == {number}
            else:
                one, other = users
                assert name == conversation_between(f"u{one}", f"u{other}")
                assert population.conversation_of_pair(one, other) == number
                assert population.conversation_of_pair(other, one) == number
    assert numbers == list(range(count * population.users // population.circle * population.conversations))


@given(st.integers(10, 1000), st.integers(2, 9), st.floats(0, 1))
def test_at_least_the_asked_share_of_users_has_a_second_device(size: int, circle: int, share: float) -> None:
    assume(int(size / (1 + share)) >= circle)
    population = Population(size, circle, share)
    second = sum(population.device_name(device) != "d0" for device in range(size))
    assert second >= int(population.users * share)


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((100, 1, 0.1), "a circle of 1"),
        ((100, 5, 1.1), "two_devices"),
        ((100, 5, -0.1), "two_devices"),
        ((100, 5, 0.1, 0.0), "chat_share"),
        ((4, 5, 0.0), "a cohort of 4 connections"),
        ((5, 5, 0.1), "a cohort of 5 connections"),
    ],
)
def test_numbers_that_make_no_population_are_one_line(numbers: tuple[float, ...], says: str) -> None:
    with pytest.raises(PopulationError, match=says) as raised:
        Population(*numbers)
    assert "\n" not in str(raised.value)
