"""Notes to access nodes."""

import logging
from collections.abc import Callable
from typing import ParamSpec

_log = logging.getLogger(__name__)

Args = ParamSpec("Args")


def tell(note: Callable[Args, None], *args: Args.args, **kwargs: Args.kwargs) -> None:
    """`note(*args)`. A node that fails is logged and costs nobody else their answers and pushes."""
    try:
        note(*args, **kwargs)
    except Exception:  # noqa: BLE001 - what a node raises is its own bug
        _log.exception("an access node failed")
