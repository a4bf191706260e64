"""The page of a run in progress: Locust's web interface with ours in it, to look and to break things."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import gevent
from flask import Response, jsonify, make_response, request
from locust import argument_parser
from locust.env import Environment
from locust.web import WebUI

from chatproof.errors import WrongUse

_HOST = "127.0.0.1"
_LOOK_S = 0.01
_OWNED = ("locust.swarm", "locust.reset_stats", "locust.update_user")


@contextmanager
def page(environment: Environment, port: int | None, stop: Callable[[], None]) -> Iterator[str | None]:
    """The environment has a web interface for whoever takes part in it from now on, none without a port; the
    block gets its address. It answers once started and ends with the block. Its button Stop calls `stop`;
    starting and changing the run is for the command line alone. Raises WrongUse for a port that is taken."""
    if port is None:
        yield None
        return
    try:
        socket.create_server((_HOST, port)).close()
    except OSError as error:
        raise WrongUse(f"--web-port {port}: {error.strerror}; choose another") from error
    # Locust's page asks for the words of Locust's command line, and this is another's.
    theirs = argument_parser.ui_extra_args_dict
    argument_parser.ui_extra_args_dict = partial(theirs, [])
    web_ui = environment.create_web_ui(_HOST, port, delayed_start=True)
    app = web_ui.app
    assert app is not None

    def keep_to_the_plan() -> Response | None:
        if request.endpoint == "locust.stop":
            stop()
            return jsonify({"success": True, "message": "the run ends"})
        if request.endpoint in _OWNED:
            why = "this run follows a plan: start another one with chatproof run"
            return make_response(jsonify({"success": False, "message": why}), 409)
        return None

    app.before_request(keep_to_the_plan)
    try:
        yield f"http://{_HOST}:{port}/chatproof/"
    finally:
        argument_parser.ui_extra_args_dict = theirs
        if web_ui.server is not None:
            web_ui.stop()


def answer(web_ui: WebUI) -> None:
    """Who asks for the page from now on gets it. Raises WrongUse if its port was taken meanwhile."""
    web_ui.start()
    while web_ui.server is None or not web_ui.server.started:
        if web_ui.greenlet is None or web_ui.greenlet.dead:
            raise WrongUse(f"--web-port {web_ui.port}: nobody can listen there; choose another")
        gevent.sleep(_LOOK_S)
