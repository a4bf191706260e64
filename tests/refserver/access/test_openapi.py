"""The document that the server serves, and the server held against it by schemathesis."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from refserver import accounts
from refserver.access.http import routes
from refserver.process import ServerProcess
from refserver.tokens import TokenSigner, load_or_create_secret

EXAMPLES = int(os.environ.get("CHATPROOF_OPENAPI_EXAMPLES", "10"))
"""For each request; `make fuzz` asks for more."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("server")
    accounts.add(data_dir, ["u1", "u2"], "secret")
    accounts.befriend(data_dir, ["u1", "u2"])
    accounts.group(data_dir, "one", ["u1", "u2"])
    with ServerProcess(data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def document(server):
    with urllib.request.urlopen(f"{server.http_url}/v1/openapi.json") as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return json.load(answer)


def test_the_document_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_every_route_is_in_the_document_and_nothing_else(document):
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method != "head"
    }
    assert described == {(each.method, each.path) for each in routes.load()}
    names = [each["operationId"] for operations in document["paths"].values() for each in operations.values()]
    assert len(names) == len(set(names))


def test_the_document_says_what_needs_a_token_and_what_may_be_answered(document):
    for each in routes.load():
        operation = document["paths"][each.path][each.method.lower()]
        assert (operation.get("security") == []) is each.public, each.path
        statuses = {int(status) for status in operation["responses"]}
        assert statuses >= {200, 400, 500, 503, *each.refusals}, each.path
        assert each.public or 401 in statuses, each.path
    send = document["paths"]["/v1/messages"]["post"]
    assert send["responses"]["429"] == {"$ref": "#/components/responses/TOO_MANY_REQUESTS"}
    refusal = document["components"]["responses"]["TOO_MANY_REQUESTS"]
    assert refusal["headers"]["Retry-After"]["required"]
    assert list(refusal["content"]) == ["application/problem+json"]


def test_what_is_not_in_the_document_is_not_found(server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.http_url}/v1/nothing?name=chat")
    assert refused.value.code == 404
    assert json.load(refused.value)["detail"] == "there is no /v1/nothing"


@pytest.mark.timeout(300 + 10 * EXAMPLES)
def test_schemathesis_finds_nothing_that_the_document_does_not_say(server, tmp_path):
    token = TokenSigner(load_or_create_secret(server.data_dir)).issue("u1", 3600)
    hooks = {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run",
            f"{server.http_url}/v1/openapi.json",
            "--header", f"Authorization: Bearer {token}",
            "--max-examples", str(EXAMPLES), "--seed", "1", "--workers", "1", "--no-color",
            "--continue-on-failure", "--generation-database", "none", "--warnings", "off",
        ],
        env={**os.environ, **hooks},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fault" not in server.log_path.read_text()
