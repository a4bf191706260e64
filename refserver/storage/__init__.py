"""Accounts, relationships, messages, inboxes and contacts, durable (ARC.3).

`schema` describes the tables, `sqlite` holds what only SQLite has, `statements` and `questions` do much
in one step, `loading` and `writing` serve a group commit, `pages` what users read, `store` is the face.
"""

from refserver.storage.store import Storage, StorageFailed

__all__ = ["Storage", "StorageFailed"]
