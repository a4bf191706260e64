"""The library of fault plans, a TOML file each, found by looking: a new file is a new plan by its name."""
