"""A message from acceptance to fan-out: permission, sequence, store, unread counts, contacts, push.

`business` is the service that access nodes talk to, `planning` decides a batch, `committing` and `answering`
are its two loops, `presence` knows which node holds whom, `memory` what is known of users and conversations,
`snowflakes` makes message ids.
"""

from refserver.business.business import Business

__all__ = ["Business"]
