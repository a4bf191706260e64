"""The attacks: one file each, a function marked with `conformance.hostile.attack.attack`."""
