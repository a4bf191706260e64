"""A second chat server, written from docs/protocol.md: the one that docs/your-own-server.md goes through."""
