"""Faults, one file each, found by looking: a new file here is a new fault for plans."""
