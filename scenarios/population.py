"""Who a swarm is made of, as arithmetic: nothing is stored for a device that has done nothing yet.

Accounts come in circles: consecutive users of the accounts file who are all friends of each other and the
members of one group, `g:<first user of the circle>`. A cohort is whole circles, so a message never leaves its
cohort: whoever has to account for it lives in one process.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

from protocol.names import GROUP_PREFIX, conversation_between


class PopulationError(Exception):
    """Numbers that make no population; the text says which."""


@dataclass(frozen=True, slots=True)
class Population:
    """`cohort_size` devices a cohort; `two_devices` is the share of users that have a second one,
    `chat_share` that of the cohorts that chat.

    `users` a cohort: whole circles, as many as leave about that share with a second device.

    Devices, users and conversations are numbered through all cohorts: device `cohort * cohort_size + i`,
    user `cohort * users + u`, and for each circle its pairs in order, then its group.
    """

    cohort_size: int
    circle: int = 5
    two_devices: float = 0.1
    chat_share: float = 1.0
    users: int = field(init=False)

    def __post_init__(self) -> None:
        if self.circle < 2:
            raise PopulationError(f"a circle of {self.circle} has nobody to write to; use at least 2")
        if not 0 <= self.two_devices <= 1:
            raise PopulationError(f"two_devices is a share between 0 and 1, not {self.two_devices}")
        if not 0 < self.chat_share <= 1:
            raise PopulationError(f"chat_share is a share above 0, at most 1, not {self.chat_share}")
        users = int(self.cohort_size / (1 + self.two_devices)) // self.circle * self.circle
        object.__setattr__(self, "users", users)
        if users < self.circle:
            raise PopulationError(
                f"a cohort of {self.cohort_size} connections holds no circle of {self.circle} users; "
                f"use a larger cohort or a smaller circle"
            )

    @property
    def conversations(self) -> int:
        """Conversations a circle: every pair, and the group."""
        return self.circle * (self.circle - 1) // 2 + 1

    def user_of(self, device: int) -> int:
        """The first devices of a cohort are its users' first ones, the rest second (third, …) ones."""
        cohort, at = divmod(device, self.cohort_size)
        return cohort * self.users + at % self.users

    def device_name(self, device: int) -> str:
        """`d0` for a user's first device, `d1` for the second, …"""
        return f"d{device % self.cohort_size // self.users}"

    def devices_of_user(self, user: int) -> range:
        """All devices of a user."""
        cohort, at = divmod(user, self.users)
        return range(cohort * self.cohort_size + at, (cohort + 1) * self.cohort_size, self.users)

    def circle_of(self, user: int) -> range:
        """The users of a user's circle, itself among them."""
        first = user // self.circle * self.circle
        return range(first, first + self.circle)

    def conversation_of_pair(self, one: int, other: int) -> int:
        """Number of the conversation of two users of a circle."""
        first, second = sorted((one % self.circle, other % self.circle))
        place = first * self.circle - first * (first + 1) // 2 + second - first - 1
        return one // self.circle * self.conversations + place

    def conversation_of_group(self, user: int) -> int:
        """Number of the group conversation of a user's circle."""
        return (user // self.circle + 1) * self.conversations - 1

    def audience(self, conversation: int) -> int:
        """On how many devices a message there is to be shown: all of its members', but the sender's own."""
        circle, place = divmod(conversation, self.conversations)
        pairs = _pairs(self.circle)
        members = pairs[place] if place < len(pairs) else range(self.circle)
        first = circle * self.circle
        return sum(len(self.devices_of_user(first + member)) for member in members) - 1

    def chats(self, cohort: int) -> bool:
        """Whether the devices of a cohort write to each other; those that do are spread evenly."""
        return cohort % round(1 / self.chat_share) == 0

    def chatting(self, cohorts: int) -> int:
        """How many of the first `cohorts` cohorts chat."""
        return -(-cohorts // round(1 / self.chat_share))

    def circles(self, cohorts: int) -> Iterator[range]:
        """The users of every circle that chats in the first `cohorts` cohorts."""
        for cohort in filter(self.chats, range(cohorts)):
            for first in range(cohort * self.users, (cohort + 1) * self.users, self.circle):
                yield range(first, first + self.circle)

    def conversation_names(self, names: list[str]) -> list[str]:
        """Wire names of a circle's conversations, in the order of their numbers."""
        pairs = [conversation_between(one, other) for one, other in combinations(names, 2)]
        return [*pairs, GROUP_PREFIX + names[0]]

    def conversation_members(self, circle: range) -> list[tuple[int, ...]]:
        """The users of each conversation of a circle, in the same order."""
        return [*combinations(circle, 2), tuple(circle)]


@cache
def _pairs(circle: int) -> tuple[tuple[int, int], ...]:
    """Places of a circle's users, by the place of the conversation that two of them have."""
    return tuple(combinations(range(circle), 2))
