"""How patient a client is. One object shared by all clients of a swarm; times in seconds."""

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Policy:
    """Every waiting time of a client, with the defaults of a well-behaved app.

    `reconnect_base_s`: the first reconnection comes after a random time up to this, the next up to twice
    it, and so on to `reconnect_cap_s` (full jitter). With 8 s the busiest second after a mass disconnect
    holds an eighth of the clients when the server is there, and below the quarter that HBT.6 allows when it
    comes back in the middle of a round: then those who are just going through the endpoints come on top,
    which is also why `next_endpoint_s` is short.

    `first_round_s`: with several endpoints, each is tried once within this time, so that one that swallows
    everything does not keep a client from the next (CHN.3 allows 10 s); later rounds are patient. Infinity
    makes the first round patient too.

    `adaptive_heartbeat`: whoever loses a connection over an unanswered heartbeat asks for half the interval
    at its next login, because something on the path may have forgotten the idle connection (HBT.4). It
    stays with what has held.

    `answer_s`: for so long an answer to a send may be owed where the protocol allows no repeat on the same
    connection; then the client makes another one. It is longer than `retransmit_start_s` because giving a
    connection up costs more than a repeat.

    `look_up_s`: on a worse rung of the ladder than a bare connection, a look at the better ones is taken
    after up to so long, and less and less often while it is in vain.
    """

    heartbeat_s: int = 60
    connect_timeout_s: float = 5.0
    login_timeout_s: float = 5.0
    retransmit_start_s: float = 2.0
    retransmit_cap_s: float = 16.0
    answer_s: float = 8.0
    pull_limit: int = 500
    pulls_before_skipping: int = 3
    beat_retry_s: float = 3.0
    adaptive_heartbeat: bool = False
    reconnect_base_s: float = 8.0
    reconnect_cap_s: float = 30.0
    next_endpoint_s: float = 0.2
    first_round_s: float = 8.0
    look_up_s: float = 30.0
    dice: random.Random = field(default_factory=random.Random)

    def backoff_s(self, failures: int) -> float:
        """Seconds until the next attempt after `failures` failed ones (0 right after a loss)."""
        return self.dice.uniform(
            0.0, min(self.reconnect_cap_s, self.reconnect_base_s * 2.0 ** min(failures, 16))
        )

    def connect_limit_s(self, failures: int, endpoints: int) -> float:
        """Seconds that a connection may take to be made, after `failures` failed attempts."""
        return min(self.connect_timeout_s, self._try_s(failures, endpoints))

    def login_limit_s(self, failures: int, endpoints: int) -> float:
        """Seconds that a login may take to be answered, after `failures` failed attempts."""
        return min(self.login_timeout_s, self._try_s(failures, endpoints))

    def _try_s(self, failures: int, endpoints: int) -> float:
        if endpoints == 1 or failures >= endpoints:
            return float("inf")
        return max(1.0, self.first_round_s / endpoints - self.next_endpoint_s)

    def retransmit_s(self, attempts: int) -> float:
        """Seconds to wait for an answer to attempt number `attempts` (1 is the first)."""
        return min(self.retransmit_cap_s, self.retransmit_start_s * 2.0 ** min(attempts - 1, 16))

    def beat_again_s(self, heartbeat_s: float) -> float:
        """Seconds without a PONG after which a heartbeat is repeated; leaves room for several tries."""
        share_s = heartbeat_s / 4
        return share_s if share_s < self.beat_retry_s else self.beat_retry_s
