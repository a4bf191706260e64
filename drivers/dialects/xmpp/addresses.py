"""Who is meant: users and groups of the harness as addresses of XMPP (RFC 7622), and back.

A user `u1` is `u1@DOMAIN`, a group `g:u1` the room `g\\3au1@ROOMS`: what an address cannot hold is escaped as
XEP-0106 says. Servers compare addresses without regard to case, so users must not differ by it alone.
"""

import re

_ESCAPES = {sign: f"\\{ord(sign):02x}" for sign in " \"&'/:<>@"}
_ESCAPED = str.maketrans(_ESCAPES)
_BACKSLASH = re.compile(r"\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)")
_ESCAPE = re.compile(r"\\(20|22|26|27|2f|3a|3c|3e|40|5c)")


def local_part(name: str) -> str:
    """`name` as what stands before the @."""
    return _BACKSLASH.sub(r"\\5c", name).translate(_ESCAPED)


def name_of(local: str) -> str:
    """What `local_part` was made of."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), local)


def bare(address: str) -> str:
    """Without the resource."""
    return address.partition("/")[0]


def resource(address: str) -> str:
    """The resource, "" for a bare address."""
    return address.partition("/")[2]


def user_address(user: str, domain: str) -> str:
    """A user of `domain`; whoever has an @ in the name is of another one."""
    return user if "@" in user else f"{local_part(user)}@{domain}"


def user_of(address: str, domain: str) -> str:
    """The user as the harness names it: of another domain, with that."""
    local, at, of = bare(address).partition("@")
    return name_of(local) if at and of == domain else bare(address)


def room_address(group: str, rooms: str) -> str:
    """The room of a group. `rooms`: the domain of the service."""
    return f"{local_part(group)}@{rooms}"


def group_of(address: str) -> str:
    """The group of a room."""
    return name_of(bare(address).partition("@")[0])
