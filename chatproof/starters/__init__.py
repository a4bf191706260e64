"""Servers that others wrote, a file each; see `chatproof.starting`."""
