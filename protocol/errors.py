"""What can go wrong between two peers.

    ProtocolError
    ├── LocalProtocolError     we tried to do what the protocol forbids: a bug on this side
    └── RemoteProtocolError    the peer did: carries the error code that the peer should be told

Neither is ever raised for a broken connection: bytes that stop coming are not a protocol error.
"""

import enum


class ErrorCode(enum.IntEnum):
    """Codes of the ERROR frame; HTTP answers use the same numbers."""

    MALFORMED = 400
    NOT_LOGGED_IN = 401
    NOT_PERMITTED = 403
    UNKNOWN_RECIPIENT = 404
    LOGIN_REPLACED = 409
    TOO_LARGE = 413
    UNKNOWN_KIND = 415
    CONTENT_BLOCKED = 422
    TOO_MANY_REQUESTS = 429
    SERVER_FAULT = 500
    OVERLOADED = 503


class ProtocolError(Exception):
    """Base of both."""


class LocalProtocolError(ProtocolError):
    """This side asked for something that the protocol does not allow."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol; `code` is what an ERROR frame to it should say."""

    def __init__(self, text: str, code: ErrorCode = ErrorCode.MALFORMED) -> None:
        super().__init__(text)
        self.code = code
