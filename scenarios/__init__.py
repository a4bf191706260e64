"""Locust users, load shapes and the swarm engine behind them.

`heartbeat.py` and `chat.py` are Locust files. One Locust user is a cohort: many connections on the epoll
pump of its process. `population` (who they are), `letters` (what they write), `cohort` (what they do),
`swarm` (one a process), `recorder` (events to rows), `conductor` and `player` (Locust's events on the master
and on the workers), `totals` (Locust's statistics).
"""
