"""The page and what it asks for, as a blueprint of Locust's Flask app, behind its login if it has one."""

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import msgspec
from flask import Blueprint, Response, jsonify, make_response, render_template, request, send_file
from flask_cors import cross_origin
from locust.env import Environment
from locust.web import WebUI

from chaos.desk import Standing
from chaos.errors import ChaosError, FaultSyntaxError
from chaos.fault import fault_kinds
from ledger.run_folder import RunFolder
from scenarios.breaking import BreakOptions, parse_faults
from scenarios.conductor import Conductor
from scenarios.options import SwarmOptions
from scenarios.web.live import COLUMNS, Live

NAME = "chatproof"
_SECRETS = ("accounts.csv", "accounts.index", "server")
"""Of a run folder: what holds tokens and the server's own data is not handed out."""
_LEFT_OUT = ("run_dir", "on_command")
_TAB = '<script src="./chatproof/static/tab.js" defer></script></body>'


class Page:
    """Serves from the moment it is made; Locust's own page leads to it by a tab and a link."""

    def __init__(self, environment: Environment, conductor: Conductor, web_ui: WebUI) -> None:
        self._environment = environment
        self._conductor = conductor
        self._live = Live(environment, conductor)
        app = web_ui.app
        assert app is not None
        base = app.blueprints["locust"].url_prefix or ""
        blueprint = Blueprint(
            NAME, __name__, url_prefix=f"{base}/{NAME}", static_folder="static", template_folder="templates"
        )
        for path, view, methods in (
            ("/", self._page, ["GET"]),
            ("/live", self._state, ["GET"]),
            ("/faults", self._add_faults, ["POST"]),
            ("/faults/<int:number>/off", self._end_fault, ["POST"]),
            ("/report", self._report, ["GET"]),
            ("/folder.zip", self._download, ["GET"]),
        ):
            # Locust allows every origin to read its pages; nobody else's page has to break a network.
            guarded: Callable[..., Any] = cross_origin(origins=[])(web_ui.auth_required_if_enabled(view))
            blueprint.add_url_rule(
                path, endpoint=view.__name__.strip("_"), view_func=guarded, methods=methods
            )
        app.register_blueprint(blueprint)
        app.after_request(_with_tab)
        # Browsers ask for it beside any page that names none, as a report does.
        app.add_url_rule("/favicon.ico", "chatproof_icon", lambda: ("", 204))
        web_ui.template_args["extended_tabs"] = [
            *web_ui.template_args.get("extended_tabs", []), {"title": "Chatproof live", "key": NAME},
        ]  # fmt: skip

    def _page(self) -> str:
        environment = self._environment
        options: Any = vars(environment.parsed_options) if environment.parsed_options else {}
        kinds = (SwarmOptions, BreakOptions)
        every = [one for kind in kinds for one in fields(kind) if one.name not in _LEFT_OUT]
        scenarios: dict[str, Any] = environment.available_user_classes or {
            kind.__name__: kind for kind in environment.user_classes
        }
        return render_template(
            "chatproof_live.html",
            scenarios=sorted(scenarios),
            shapes=sorted(environment.available_shape_classes or {}),
            shape=type(environment.shape_class).__name__ if environment.shape_class else "",
            host=environment.host or "",
            users=options.get("num_users") or 10,
            spawn_rate=options.get("spawn_rate") or 10,
            options=[
                (one.name, options.get(one.name, one.default), one.metadata["help"])
                for one in every
                if one.name not in ("proxies", "faults", "cohort")
            ],
            cohort=options.get("cohort", 100),
            proxies=options.get("proxies", False),
            faults=options.get("faults", ""),
            kinds=[(name, kind.example, kind.pulls) for name, kind in fault_kinds().items()],
        )

    def _state(self) -> Response:
        conductor, live = self._conductor, self._live
        since = request.args.get("since", 0, int) if request.args.get("run", 0, int) == live.run else 0
        desk, conclusion, folder = conductor.desk, conductor.conclusion, conductor.folder
        mine = conclusion if conclusion is not None and conclusion.folder is folder else None
        state = {
            "run": live.run,
            "phase": conductor.phase,
            "broken": conductor.broken,
            "folder": None if folder is None else str(folder.path),
            "target": self._environment.host,
            "totals": conductor.totals(),
            "peak": live.peak,
            "columns": COLUMNS,
            "next": live.count,
            "points": live.since(since),
            "is_open": desk is not None and desk.is_open,
            "levers": [] if desk is None else desk.levers(),
            "faults": [] if desk is None else [self._fault(one) for one in desk.standing()],
            "summary": None if mine is None else _answer(mine.summary),
            "error": "" if mine is None else mine.error,
            "has_report": mine is not None and mine.is_done and mine.folder.report.exists(),
        }
        # Flask's own JSON is written for people, in four times as many bytes.
        return Response(msgspec.json.encode(state), mimetype="application/json")

    def _fault(self, fault: Standing) -> dict[str, Any]:
        began, ended = fault.start_ns, fault.end_ns
        return {
            "number": fault.number,
            "name": fault.spec.name,
            "summary": fault.summary,
            "stand": fault.stand,
            "due_s": None if fault.due_s is None else round(fault.due_s - self._live.started_s, 2),
            "start_s": None if began is None else round(began / 1e9 - self._live.started_s, 2),
            "end_s": None if ended is None else round(ended / 1e9 - self._live.started_s, 2),
            "error": fault.error,
        }

    def _add_faults(self) -> Response:
        desk = self._conductor.desk
        # What another site's form can send is never JSON.
        asked = request.get_json() if request.is_json else None
        if not isinstance(asked, dict) or not isinstance(asked.get("faults"), str):
            return _wrong("send JSON with `faults`, each as --fault has it")
        if desk is None:
            return _wrong("there is no run: start one first")
        try:
            specs = parse_faults(asked["faults"])
            if not specs:
                return _wrong("no fault is named")
            since = time.monotonic()
            return jsonify({"numbers": [desk.add(spec, since) for spec in specs]})
        except (FaultSyntaxError, ChaosError) as error:
            return _wrong(str(error))

    def _end_fault(self, number: int) -> Response:
        desk = self._conductor.desk
        if not request.is_json or desk is None:
            return _wrong("there is no run" if desk is None else "send JSON")
        try:
            desk.end(number)
        except ChaosError as error:
            return _wrong(str(error))
        return jsonify({"number": number})

    def _report(self) -> Response:
        folder = self._conductor.folder
        if folder is None or not folder.report.exists():
            return _wrong("there is no report yet", 404)
        return send_file(folder.report.resolve(), mimetype="text/html", max_age=0)

    def _download(self) -> Response:
        folder = self._conductor.folder
        if folder is None:
            return _wrong("there has been no run yet", 404)
        return send_file(
            io.BytesIO(_zipped(folder)),
            mimetype="application/zip",
            as_attachment=True,
            download_name=f"{folder.path.name}.zip",
        )


def _zipped(folder: RunFolder) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.path.rglob("*")):
            inside = path.relative_to(folder.path)
            if path.is_file() and inside.parts[0] not in _SECRETS:
                archive.write(path, f"{folder.path.name}/{inside}")
    return packed.getvalue()


def _answer(summary: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the page shows of a summary."""
    if summary is None:
        return None
    names = ("verdict", "connections", "heartbeats", "latency_ms", "latency_valid", "duration_s")
    checks = {
        name: {key: value for key, value in check.items() if key != "witnesses"}
        for name, check in summary["checks"].items()
    }
    return {name: summary[name] for name in names} | {"checks": checks}


def _wrong(why: str, code: int = 400) -> Response:
    return make_response(jsonify({"error": why}), code)


def _with_tab(response: Response) -> Response:
    """Locust's own page, its tab of ours leading here."""
    if (
        request.endpoint == "locust.index"
        and response.status_code == 200
        and response.mimetype == "text/html"
    ):
        response.set_data(response.get_data(as_text=True).replace("</body>", _TAB))
    return response
