"""Callbacks that may fail without taking the loop's watcher with them."""

import sys
from collections.abc import Callable
from typing import ParamSpec

import gevent

P = ParamSpec("P")


def guarded(call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run `call`; an exception is reported by the hub, as that of a greenlet is, and goes no further.

    gevent stops a watcher for good when its callback raises: one bug in one connection would silence all of
    them.
    """
    try:
        call(*args, **kwargs)
    except Exception:  # noqa: BLE001 - reported by the hub, never swallowed
        gevent.get_hub().handle_error(call, *sys.exc_info())
