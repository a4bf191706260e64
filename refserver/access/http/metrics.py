"""What the server measures of itself, for Prometheus."""

from typing import Any, ClassVar

import msgspec

from metrics.exposition import CONTENT_TYPE
from refserver.access.http.call import Call
from refserver.access.http.routes import Nothing, route


class Exposition(msgspec.Struct):
    """Prometheus' text format, version 0.0.4."""

    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}


@route("GET", "/metrics", response=Exposition, public=True, media="text/plain")
def metrics(call: Call, _: Nothing) -> None:
    """Metrics of all processes of the server together, as of a second ago at most."""
    call.answer_text(call.node.metrics(), CONTENT_TYPE)
