"""Every number of the protocol in one place (docs/protocol.md). Sizes in bytes, times in seconds."""

MAGIC = 0xC7
HEADER_BYTES = 8
FLAG_COMPRESSED = 0x01

MAX_FRAME_BODY_BYTES = 1 << 20
"""A body as sent."""
MAX_INFLATED_BODY_BYTES = 8 << 20
"""A body once decompressed; enforced while inflating, never after."""
MAX_MESSAGE_BODY_BYTES = 64 << 10
"""The `body` of one SEND or of one item of a package; more is error 413."""
MAX_PACKAGE_ITEMS = 100
MAX_NAME_CHARS = 64
"""User, device, group and client message ids, platforms and feature names."""
MAX_TOKEN_CHARS = 1024
MAX_PAGE_ENTRIES = 1000
"""The most entries a PULLED, HISTORY_PAGE or CONTACT_LIST carries, whatever limit was asked."""
MAX_PAGE_BYTES = 768 << 10
"""Message bodies in one page add up to at most this, so that a page fits a frame uncompressed (DLV.4): it
leaves 262 bytes for the rest of each entry, and with names of 64 bytes that is 244 at most."""

LOGIN_TIMEOUT_S = 10.0
RETRANSMIT_START_S = 2.0
RETRANSMIT_ATTEMPTS = 5
SLOW_READER_BYTES = 1 << 20
SLOW_READER_FRAMES = 1000

MIN_HEARTBEAT_S = 1
MAX_HEARTBEAT_S = 3600
DEFAULT_HEARTBEAT_S = 60

KINDS = frozenset({"text", "image", "audio", "video", "file", "custom"})
FEATURE_ZSTD = "zstd"
FEATURES = frozenset({FEATURE_ZSTD})


def silence_limit_s(heartbeat_s: float) -> float:
    """Seconds without any frame after which either side gives a connection up (rule 6, HBT.1, HBT.2)."""
    return 1.5 * heartbeat_s + 1.0
