"""Bytes a heartbeat and a message, from what was sampled of some connections."""

from ledger.wire import NOTHING, on_the_wire

CHAT = """
10.0 send      anna/1 a1
10.1 acked     anna/1 a1 seq=1 ver=1
20.0 send      anna/1 a2
20.1 acked     anna/1 a2 seq=2 ver=2
"""


def sample(at_s, wire, *, connections=10, answered=0):
    return {
        "process": "swarm-1", "role": "generator", "pid": 7, "at_ns": at_s * 10**9,
        "connections": connections, "beats": {"answered": answered}, "wire": wire,
    }  # fmt: skip


def wire(seconds, out_bytes, in_bytes, header_bytes, beats=""):
    return {
        "connection_s": seconds, "out_bytes": out_bytes, "in_bytes": in_bytes, "segments": 0,
        "header_bytes": header_bytes, "beats": beats,
    }  # fmt: skip


def test_a_run_in_which_nothing_was_looked_at_tells_nothing(history):
    assert on_the_wire(history(CHAT)) == NOTHING
    assert on_the_wire(history(CHAT, samples=[sample(1, None), sample(2, None)])) == NOTHING


def test_a_heartbeat_is_what_most_seconds_with_one_had(history):
    beats = ";".join(["2,2,156"] * 4 + ["2,3,156"] + ["90,300,400", "2,30,52"])
    found = on_the_wire(
        history("", samples=[sample(1, wire(0.0, 0, 0, 0)), sample(2, wire(10.0, 20, 20, 160, beats))])
    )
    assert found["heartbeat"] == {"seen": 5, "payload_bytes": 4, "bytes": 160}
    assert found["bytes_per_connection_s"] == 20.0
    assert found["payload_bytes_per_connection_s"] == 4.0
    assert found["message"] == {"payload_bytes": None, "bytes": None}


def test_a_heartbeat_is_the_least_of_many_alike_not_the_most_frequent(history):
    beats = ";".join(["2,2,156"] * 6 + ["180,180,350"] * 9 + ["2,0,78"])
    found = on_the_wire(
        history("", samples=[sample(1, wire(0.0, 0, 0, 0)), sample(2, wire(10.0, 20, 20, 160, beats))])
    )
    assert found["heartbeat"] == {"seen": 7, "payload_bytes": 4, "bytes": 149}


def test_too_few_alike_are_not_believed(history):
    beats = ";".join(["2,2,156"] * 5 + [f"{50 * n},{n},200" for n in range(1, 41)])
    found = on_the_wire(
        history("", samples=[sample(1, wire(0.0, 0, 0, 0)), sample(2, wire(10.0, 20, 20, 160, beats))])
    )
    assert found["heartbeat"] == {"seen": 5, "payload_bytes": None, "bytes": None}


def test_messages_share_what_heartbeats_leave(history):
    beats = ";".join(["2,2,156"] * 6)
    samples = [
        sample(1, wire(0.0, 0, 0, 0), answered=0),
        sample(2, wire(5.0, 100, 100, 500, beats), answered=2),
    ]
    # 20 connection-seconds of all: 140 bytes in each of those looked at, 2,800 in all, 320 of two heartbeats.
    found = on_the_wire(history(CHAT, samples=samples))
    assert found["message"] == {"payload_bytes": 396.0, "bytes": 1240.0}


def test_without_a_heartbeat_that_is_known_a_message_is_not_either(history):
    samples = [sample(1, wire(0.0, 0, 0, 0)), sample(2, wire(5.0, 100, 100, 500), answered=2)]
    assert on_the_wire(history(CHAT, samples=samples))["message"] == {"payload_bytes": None, "bytes": None}


def test_what_came_before_and_after_the_load_does_not_count(history):
    samples = [
        sample(1, wire(0.0, 0, 0, 0)),
        sample(2, wire(5.0, 50, 50, 100)),
        sample(200, wire(9.0, 5000, 5000, 10000)),
    ]
    assert on_the_wire(history("", samples=samples))["bytes_per_connection_s"] == 40.0
