import re
from typing import Any

import msgspec

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http import server
from refserver.access.http.sending import Sending


def decoded(decoded: Any, body: bytes, kind: Any) -> Any:
    content = msgspec.json.decode(body)
    if kind is Sending and isinstance(content, dict) and isinstance(content.get("body"), str):
        kept = re.sub(r"[^A-Za-z0-9+/]", "", content["body"])
        kept = kept[: len(kept) - (len(kept) % 4 == 1)]
        content["body"] = kept + "=" * (-len(kept) % 4)
    return decoded(msgspec.json.encode(content), kind)


def patch() -> None:
    around(server, "_decoded", decoded)


MUTANT = Mutant(
    "posted_bodies_need_not_be_base64",
    breaks=("DLV.8",),
    story="the decoder passes over what is no base64, and makes a message of the rest",
    patch=patch,
)
