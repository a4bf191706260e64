"""The event machinery that both sides of a connection stand on: no greenlet for an idle connection.

`poller` (one epoll set watched by the gevent hub), `wheel` (one timer wheel for everything that beats),
`alarms` (exact deadlines), `sockets` (listening, accepting, connecting), `guarded` (callbacks that fail).
Imports nothing of ours and knows no protocol. Everything here runs in the hub: a callback never waits.
"""
