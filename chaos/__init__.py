"""Faults: a Toxiproxy-compatible server, its control, and schedules of faults for a run.

`toxics/` (one file a toxic, no I/O) and `pipeline` (toxics in a row) are what happens to bytes; `toxiproxy/`
moves the bytes; `control`, `faults/` (one file a fault), `plan` and `schedule` decide what happens when.
Imports the protocol for framing and the reactor for sockets, nothing else of ours.
"""
