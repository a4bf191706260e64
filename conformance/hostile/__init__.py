"""Hostile clients against a server with other users: what an attack costs it, and what they feel (SEC.6).

One attack is one file in `attacks`; `siege` lets it loose on a fresh server while `bystanders` go on talking.
"""
