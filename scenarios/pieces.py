"""Files on their way between machines: a piece at a time, each asked for when the one before is written."""

from collections.abc import Callable
from pathlib import Path

PIECE_BYTES = 1 << 20


def read_piece(path: Path, offset: int) -> bytes:
    """At most PIECE_BYTES from there on. Raises OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PIECE_BYTES)


def write_pieces(path: Path, size: int, next_piece: Callable[[int], bytes | None]) -> bool:
    """`path` holds `size` bytes, of which `next_piece(offset)` gave each part. False, and there is no such
    file, if it gave nothing. A file that has grown meanwhile is cut off there. Raises OSError."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            while (offset := file.tell()) < size:
                piece = next_piece(offset)
                if not piece:
                    return False
                file.write(piece[: size - offset])
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return True
