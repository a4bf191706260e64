"""The protocol's requests as short HTTP calls, and a long poll for the inbox.

`parsing` (bytes to requests), `routes` (the table that the endpoint modules fill), `call` (one request on its
way to an answer), `server` (sockets and the face towards business). Every module here that registers a route
is found by `routes.load()`; adding one edits no list.
"""
