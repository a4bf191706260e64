"""Reference servers with one thing broken each, the way servers of other people are broken.

A file each, named like its mutant and found by that. `python -m conformance.mutants NAME --data DIR` serves
one.
"""
