"""How conversations are named: `u1:u2` between two users (smaller first), `g:<id>` for a group."""

GROUP_PREFIX = "g:"


def conversation_between(one: str, other: str) -> str:
    """Name of the conversation of two users; the same from both sides. Ids compare as code points."""
    return f"{one}:{other}" if one <= other else f"{other}:{one}"


def is_group(conversation: str) -> bool:
    """True for `g:<id>`. No user is called `g`, so the two forms never meet."""
    return conversation.startswith(GROUP_PREFIX)


def is_valid_user(user: str) -> bool:
    """A user id is 1 to 64 bytes of printable UTF-8 without a colon or white space, and not `g`.

    Bytes, not characters, because `limits.MAX_PAGE_BYTES` leaves that much room for each entry's names.
    """
    return (
        0 < len(user) <= 64
        and user != "g"
        and ":" not in user
        and user.isprintable()
        and not any(character.isspace() for character in user)
        and len(user.encode()) <= 64
    )


def peer_in(conversation: str, user: str) -> str:
    """The other party of `user` in a conversation: a user id, or the group's own name."""
    if is_group(conversation):
        return conversation
    first, _, second = conversation.partition(":")
    return second if first == user else first
