"""A Toxiproxy-compatible server: the API of the original, and a data path without a greenlet a connection.

Where it departs from the original, on purpose: what kills the original is answered with 400 (a negative rate,
slices of no size); -seed works; an upstream that does not answer never holds up other connections; reset_peer
resets every connection that it acts on, and no other; control calls never wait for a connection.
"""
