"""The chat protocol, version 1, sans-I/O: no sockets, no clocks, no knowledge of which side is speaking.

One concern a module: `limits` (the numbers), `errors` (the exception tree), `names` (conversations),
`messages` (what a body means), `compression` (bounded zstd), `frames` (bytes to messages and back).
`docs/protocol.md` describes it to people who implement it elsewhere.
"""
