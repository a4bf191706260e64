"""A second chat server, written from docs/protocol.md alone: the one of docs/your-own-server.md."""
