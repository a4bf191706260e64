"""The gevent reference server: access, business, storage; see docs/architecture.md."""
