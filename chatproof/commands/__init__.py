"""One command a module, each with a `command`; found by `chatproof.cli`.

Modules import what they need inside the command, so that `chatproof --help` does not wait for Locust.
"""
