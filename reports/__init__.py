"""The report of a run: one HTML file that answers first and proves after.

`evidence` (the ledger in the frames that charts need), `chart` (what a chart is, and finding them all),
`charts/` (one file each), `palette`, `canvas`, `svg`, `bands` (how they look, light and dark), `verdict`,
`tables`, `witnesses`, `timeline` (everything that is not a chart), `telling` (numbers that are found again in
summary.json), `pages` (templates), `build` (the file), `capacity/` (what N users would take; sweeps). Reads
the run folder only, so that a report can be made again, elsewhere, later.
"""
