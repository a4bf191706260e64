"""Conversations as topics."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Outgoing
from drivers.dialects.mqtt import topics
from protocol.names import conversation_between, is_valid_user

users = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(is_valid_user)


def matches(pattern: str, topic: str) -> bool:
    """Section 4.7, for filters without a #."""
    wanted, levels = pattern.split("/"), topic.split("/")
    return len(wanted) == len(levels) and all(
        one in ("+", other) for one, other in zip(wanted, levels, strict=True)
    )


@given(users, users, users)
def test_a_message_reaches_its_two_parties_and_nobody_else(one: str, other: str, third: str) -> None:
    topic = topics.topic_of(one, other)
    assert topics.parties(topic) == (one, conversation_between(one, other))
    for user in (one, other, third):
        subscribed = any(matches(each, topic) for each in topics.subscriptions(user, ()))
        assert subscribed == (user in (one, other))


@given(users, users)
def test_a_message_to_a_group_reaches_who_is_in_it(sender: str, group: str) -> None:
    topic = topics.topic_of(sender, f"g:{group}")
    assert topics.parties(topic) == (sender, f"g:{group}")
    assert any(matches(each, topic) for each in topics.subscriptions("x", (f"g:{group}",)))
    assert not any(matches(each, topic) for each in topics.subscriptions("x", ()))


@given(users, users)
def test_a_topic_survives_a_broker_that_makes_a_routing_key_of_it(one: str, other: str) -> None:
    topic = topics.topic_of(one, other)
    assert topic.replace("/", ".").replace("+", "*").replace(".", "/").replace("*", "+") == topic


@given(users, users)
def test_a_client_id_names_one_device(user: str, device: str) -> None:
    assert topics.party(topics.client_id(user, device)) == (user, device)


@given(st.binary(max_size=200), users)
def test_a_payload_comes_back_and_anything_else_is_none(body: bytes, device: str) -> None:
    payload = topics.payload_of(Outgoing("c.1", "bob", "text", body, 5), device)
    assert topics.envelope_in(payload) == topics.Envelope("c.1", device, "text", 5, body)
    assert topics.envelope_in(payload[:-1]) is None
    assert topics.parties("somebody/else/s") is None
    assert topics.parties("chatproof/other/a/b") is None
    assert topics.parties("chatproof/pair/a/b/c") is None
