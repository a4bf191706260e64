"""The client side of any system under test: one sans-I/O client under two pumps.

`contract` (what a session promises), `events` (what it reports), `client` (what outlives sessions),
`dialects/` (a protocol each), `carriers/` (how bytes travel), `pumps/` (the only part that touches sockets),
`endpoints` (where to connect next), `accounts` (who the devices are).
"""
