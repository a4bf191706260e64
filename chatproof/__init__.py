"""The command line and run plans: the only room that knows all others.

`plan` (what a run is), `limits` (whether this machine can), `target` (what is tested), `proxies` (where it is
broken), `workers` (who makes the load), `run` (the order of things), `progress` (what people see meanwhile),
`sampler` (what servers cost), `outcome` (what is left at the end), `sweeping/` (a ladder of runs),
`commands/` (one command a file).
"""
