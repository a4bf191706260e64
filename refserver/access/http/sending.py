"""POST /v1/messages: one SEND or SEND_PACKAGE."""

from typing import Annotated, Any, ClassVar

import msgspec

from protocol.limits import KINDS, MAX_MESSAGE_BODY_BYTES, MAX_PACKAGE_ITEMS
from protocol.messages import Address, Count, Item, Message, Name, PackageSent, Send, SendPackage, Sent
from refserver.access.http.call import Call
from refserver.access.http.routes import route

# The document promises what is accepted; what goes beyond is still read, to be refused with 415 and 413.
Kind = Annotated[Name, msgspec.Meta(extra_json_schema={"enum": sorted(KINDS)})]
Body = Annotated[
    bytes,
    msgspec.Meta(
        extra_json_schema={
            "maxLength": -(-MAX_MESSAGE_BODY_BYTES // 3) * 4,
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        }
    ),
]


class ItemShape(msgspec.Struct):
    kind: Kind
    body: Body


class Sending(msgspec.Struct):
    """Either `kind` and `body`, or `items`: a package, accepted all or none. `to`: a user, or `g:<id>`.

    `device` may also stand in the header X-Device; with `cid` it is what makes a repeat a repeat.
    """

    SCHEMA: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {
                "required": ["kind", "body"],
                "properties": {
                    "kind": {"type": "string"}, "body": {"type": "string"}, "items": {"type": "null"},
                },
            },
            {
                "required": ["items"],
                "properties": {
                    "kind": {"type": "null"}, "body": {"type": "null"}, "items": {"type": "array"},
                },
            },
        ]
    }  # fmt: skip

    cid: Name
    to: Address
    kind: Kind | None = None
    body: Body | None = None
    sent_at_ms: Count = 0
    items: Annotated[list[ItemShape], msgspec.Meta(min_length=1, max_length=MAX_PACKAGE_ITEMS)] | None = None
    device: Name | None = None


class PlacedShape(msgspec.Struct):
    mid: int
    sequence: int


class SendingDone(msgspec.Struct, omit_defaults=True):
    """`mid` and `sequence` of a single message; `placed` of a package, in its order."""

    cid: str
    conversation: str
    version: int
    at_ms: int
    mid: int | None = None
    sequence: int | None = None
    placed: list[PlacedShape] | None = None


@route(
    "POST",
    "/v1/messages",
    request=Sending,
    response=SendingDone,
    refusals=(403, 404, 413, 415, 429),
)
def send(call: Call, sending: Sending) -> None:
    """Stores a message, or a package of them, once for each (user, device, cid)."""
    if sending.device is not None:
        call.device = sending.device
    message: Message
    if sending.items is not None and sending.kind is None and sending.body is None:
        items = [Item(item.kind, item.body) for item in sending.items]
        message = SendPackage(sending.cid, sending.to, items)
    elif sending.items is None and sending.kind is not None and sending.body is not None:
        message = Send(sending.cid, sending.to, sending.kind, sending.body, sending.sent_at_ms)
    else:
        call.fail(400, "a message has kind and body, a package has items; this has neither or both")
        return
    call.ask(message, lambda reply: call.answer(_done(reply)))


def _done(reply: Message) -> SendingDone:
    if isinstance(reply, PackageSent):
        placed = [PlacedShape(each.mid, each.sequence) for each in reply.placed]
        return SendingDone(reply.cid, reply.conversation, reply.version, reply.at_ms, placed=placed)
    assert isinstance(reply, Sent)
    return msgspec.convert(reply, SendingDone, from_attributes=True)
