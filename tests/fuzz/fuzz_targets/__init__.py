"""One parser a module: see `fuzzing`."""
