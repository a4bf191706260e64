"""What happened in a run, and the verdicts over it.

`schema` (the words), `writer` and `samples` (what running processes append), `run_folder` (where it lies),
`reader` (all of it, lazily), `checks/` (a verdict each), `summary`, `thresholds`, `junit` (what CI reads).
The writing half imports no Polars, so that a process which only records stays small.
"""
