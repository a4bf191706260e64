"""A ladder of runs, each with more load than the one before, until something gives.

`steps` (which loads), `climb` (running them, and when to stop), `record` (sweep.json).
"""
