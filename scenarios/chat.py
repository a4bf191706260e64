"""Pairs and groups that chat at a planned rate, some on two devices, some coming and going.

locust -f scenarios/chat.py --host chat+tcp://127.0.0.1:14000 --accounts accounts.csv -u 20
"""

from scenarios.cohort_user import CohortUser


class Chat(CohortUser):
    """A cohort whose devices write to each other."""

    chats = True
