"""Server sides that hold connections and answer heartbeats: one file each with a `PEER`, see bench.peer."""
