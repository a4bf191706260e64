"""Connections that are logged in, beat, and are otherwise idle: what a city of phones does most of the time.

locust -f scenarios/heartbeat.py --host chat+tcp://127.0.0.1:14000 --accounts accounts.csv -u 20
"""

from scenarios.cohort_user import CohortUser


class Heartbeat(CohortUser):
    """A cohort that only beats."""
