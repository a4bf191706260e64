"""A series of runs: how key figures moved from run to run, and where they changed for good.

`series` (run folders in the order in which they were made, by what they were), `trend` (the figures of a
series and their change points), `charts` (one small chart a figure), `build` (the page). Reads summary.json
and environment.json of each run only, so that hundreds take seconds.
"""
