"""The packets around moments that matter, where a run kept some, as it wrote them down itself."""

from pathlib import Path

import msgspec

from reports.errors import ReportError

FILE = Path("packets") / "views.json"


class PacketView(msgspec.Struct, frozen=True):
    """`about`: what happened then; `rows`: a packet each, as text."""

    about: str
    device: str
    connection: str
    rows: list[str]


def packet_views(folder: Path) -> list[PacketView]:
    """None if the run kept no packets. Raises ReportError for a file that makes no sense."""
    file = folder / FILE
    if not file.exists():
        return []
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[PacketView])
    except (OSError, msgspec.DecodeError) as error:
        raise ReportError(f"{file} makes no sense: {error}") from error
