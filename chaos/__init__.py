"""Faults: a Toxiproxy-compatible server, its control, and schedules of faults for a run.

`toxics/` (one file a toxic, no I/O) and `pipeline` (toxics in a row) are what happens to bytes; `toxiproxy/`
moves the bytes. `framers/` (one file a protocol) know where messages begin, `framing` follows a stream by
them, and `frame_stage` is what toxics for messages have in common. `control`, `faults/` (one file a fault),
`plan` and `schedule` decide what happens when.
Imports the protocol for framing and the reactor for sockets, nothing else of ours.
"""
