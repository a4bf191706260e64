"""Client sides that hold connections and beat: one file each with a `PEER`, see bench.peer."""
