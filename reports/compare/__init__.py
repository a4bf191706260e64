"""Runs beside each other: what changed between two sides, and whether it is more than noise.

`run` (a run folder as comparison needs it), `seconds` (its seconds drawn again: bootstrap), `figure` (what a
figure is, and finding them all), `figures/` (one file a family), `noise` (how far two sides differ, and how
sure that is), `setup` (what else differs between them), `comparison` (all of it, and the verdict), `chart`
and `charts/` (pictures with every side in them), `table` and `build` (terminal and page).
"""
