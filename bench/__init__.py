"""Measurements, side by side with peers from the same run: a module with `NAME` and `run(options)` each.

`python -m bench --list` names them. Nothing here asserts a time; a shared machine would make it a lie.
"""
