"""What the page in Locust's web interface hands out, and to whom."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_login import UserMixin
from locust.env import Environment

from ledger.run_folder import RunFolder
from reports import palette
from scenarios.conductor import Conductor
from scenarios.owed import PATIENCE_S, Owed
from scenarios.parts import conductor_of, take_part
from scenarios.web import live

SECOND_NS = 10**9


def served(**how: Any) -> tuple[FlaskClient, Conductor]:
    """A client of the page, as a run of one process has it."""
    environment = Environment(host="chat+tcp://127.0.0.1:1")
    environment.create_local_runner()
    web_ui = environment.create_web_ui("127.0.0.1", 0, delayed_start=True, **how)
    take_part(environment)
    if how.get("web_login"):
        web_ui.app.secret_key = "a test's"  # type: ignore[union-attr]
        web_ui.login_manager.user_loader(lambda name: UserMixin())
    return web_ui.app.test_client(), conductor_of(environment)  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def _started_as_locust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust's page reads the command line."""
    monkeypatch.setattr("sys.argv", ["locust"])


@pytest.fixture
def page() -> tuple[FlaskClient, Conductor]:
    return served()


@pytest.mark.parametrize("path", ["", "live", "report", "folder.zip", "faults", "faults/0/off"])
def test_nobody_gets_past_a_login(path: str) -> None:
    client, _ = served(web_login=True, web_base_path="/load")
    call = client.post if "faults" in path else client.get
    answer = call(f"/load/chatproof/{path}", json=None if "faults" not in path else {"faults": "reset"})
    assert answer.status_code == 302
    assert "/load/login" in answer.headers["Location"]


def test_locusts_page_leads_to_ours_and_ours_needs_nothing_from_elsewhere(page: Any) -> None:
    client, _ = page
    assert '<script src="./chatproof/static/tab.js"' in client.get("/").text
    assert '"key": "chatproof"' in client.get("/").text
    text = client.get("/chatproof/").text
    for name in ("static/page.js", "static/page.css"):
        assert name in text
        assert client.get(f"/chatproof/{name}").status_code == 200
    assert "http://" not in text.replace("chat+tcp://", "")
    assert "https://" not in text


def test_a_fault_without_a_run_is_refused_in_one_line(page: Any) -> None:
    client, _ = page
    answer = client.post("/chatproof/faults", json={"faults": "latency=1s"})
    assert (answer.status_code, answer.json) == (400, {"error": "there is no run: start one first"})
    assert (
        client.get("/chatproof/report").status_code == client.get("/chatproof/folder.zip").status_code == 404
    )


def test_the_run_folder_is_handed_out_without_its_secrets(page: Any, tmp_path: Path) -> None:
    client, conductor = page
    conductor.folder = RunFolder(tmp_path / "run")
    conductor.folder.create()
    (conductor.folder.path / "accounts.csv").write_text("u1,a token")
    (conductor.folder.path / "server").mkdir()
    (conductor.folder.path / "server" / "secret").write_text("s")
    conductor.folder.save_summary({"verdict": "pass"})
    answer = client.get("/chatproof/folder.zip")
    assert zipfile.ZipFile(io.BytesIO(answer.data)).namelist() == ["run/summary.json"]


def test_what_is_owed_is_overdue_after_a_while_and_no_longer_once_it_came() -> None:
    owed = Owed()
    owed.promise(5 * SECOND_NS, 3)
    owed.keep(5 * SECOND_NS)
    assert owed.count((5 + PATIENCE_S) * SECOND_NS) == (2, 0)
    assert owed.count((6 + PATIENCE_S) * SECOND_NS) == (2, 2)
    owed.keep(5 * SECOND_NS)
    owed.keep(5 * SECOND_NS)
    assert owed.count((6 + PATIENCE_S) * SECOND_NS) == (0, 0)
    assert owed.expected == 3


def test_quantiles_of_a_second_are_of_what_came_in_it() -> None:
    fresh = {10: 98, 20: 0, 700: 1, 900: 1}
    assert (live.quantile(fresh, 0.5), live.quantile(fresh, 0.99)) == (10, 700)
    assert live.quantile({10: 0}, 0.5) is None


def test_the_page_has_the_reports_colours() -> None:
    style = Path(live.__file__).with_name("static").joinpath("page.css").read_text()
    for theme in ("light", "dark"):
        for declared in palette.css(theme).split("; "):
            assert declared.rstrip(";") in style
