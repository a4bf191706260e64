"""A page of our own in Locust's web interface: what a run does, second by second, and what breaks it."""
