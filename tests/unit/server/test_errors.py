"""The table from error to status: complete, and silent about the inside."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest
from litestar import Litestar, get, post
from litestar.params import FromQuery, JSONBody
from litestar.testing import TestClient

import streamhost
from streamhost.model.errors import InvalidInput, NotFound, StreamhostError, Unauthenticated, known_errors
from streamhost.ports import StorageUnavailable
from streamhost.server.errors import INTERNAL, STATUS, handle, plain_page, problem_of, status_of

INSIDE = (
    "streamhost.config",  # before the server listens
    "streamhost.instance",
    "streamhost.keyrings",
    "streamhost.jobs",  # on a job's row
    "streamhost.media",  # on a video, in its `error`
    "streamhost.sandbox",
    "streamhost.cli",
    "streamhost.features.backup",  # at the commands, and on a job's row
    "streamhost.features.transcoding.folder",  # `streamhost transcode`, without a server
    "streamhost.db.migrate",
    "streamhost.features.imports.errors",  # on a file's row, in the list of imports
    "streamhost.features.notifications.errors",  # on a delivery's row
    "streamhost.features.notifications.sealing",
    "streamhost.features.protection.errors",
    "streamhost.ml",  # on a job's row, and at the command `models`
    "streamhost.model.events",
    "streamhost.model.recommendations",  # on the row of the job that trains, and at the command `recommend`
    "streamhost.ports_recommending",  # the room does without whoever raises them
    "streamhost.notify",
    "streamhost.plugins",  # at the start, and in the plugin's own record
)
"""Where errors are made that no request ever meets."""
FAULTS = {"error", "catalog_misused", "constraint_violated", "cannot_listen", "undeclared_access", "key_unreadable"}
"""Codes of our own mistakes, and of what ends a start: a request that meets one is told `internal`."""

for module in pkgutil.walk_packages(streamhost.__path__, "streamhost."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

KINDS: list[type[StreamhostError]] = sorted(
    set(known_errors()), key=lambda kind: (kind.code, kind.__module__, kind.__qualname__)
)
"""In one order in every process, also where two classes have one code."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_error_at_the_door_has_a_status(kind: type[StreamhostError]) -> None:
    """Whoever adds an error that a request can meet gives it a line in the table."""
    if kind.__module__.startswith(INSIDE) or kind.code in FAULTS or not kind.__module__.startswith("streamhost."):
        return
    assert status_of(kind) != INTERNAL, f"{kind.__name__} needs a line in streamhost.server.errors.STATUS"


def test_the_table_names_nothing_unknown() -> None:
    """A line whose error is gone goes too."""
    assert set(STATUS) <= {kind.code for kind in known_errors()}


def test_a_class_without_a_line_is_treated_as_its_parent() -> None:
    """The nearest ancestor decides."""

    class Gone(NotFound):
        """It went."""

        code = "test_gone"

    assert status_of(Gone) == status_of(Gone()) == 404


def test_an_expected_error_tells_everything() -> None:
    """Code, sentence, detail, hint and fields reach the client."""
    problem = problem_of(InvalidInput("Look.", fields={"title": "is too long"}))
    assert json.loads(problem.body()) == {
        "type": "urn:streamhost:error:invalid_input",
        "title": "Some of what was sent cannot be accepted.",
        "status": 422,
        "detail": "Look.",
        "code": "invalid_input",
        "hint": "See the fields named in `errors`.",
        "errors": {"title": "is too long"},
    }


@pytest.mark.parametrize("error", [ValueError("secret"), StreamhostError("secret"), KeyError("secret")])
def test_an_unexpected_error_tells_nothing(error: Exception) -> None:
    """500 `internal`, the request id, and no word of what happened."""
    problem = problem_of(error, "abc12345")
    assert (problem.status, problem.code, problem.request_id) == (500, "internal", "abc12345")
    assert b"secret" not in problem.body()


def test_failing_parts_do_not_show_their_insides() -> None:
    """Paths and messages of the system stay in the log."""
    problem = problem_of(StorageUnavailable("/srv/media: input/output error"))
    assert problem.status == 503
    assert b"/srv" not in problem.body()


def test_who_is_asked_to_sign_in_is_told_how() -> None:
    """401 names the scheme (RFC 9110, 11.6.1)."""
    assert problem_of(Unauthenticated()).headers["WWW-Authenticate"] == "Bearer"


def test_pages_escape_what_they_quote() -> None:
    """No markup gets from an error into a page."""
    assert "<script>" not in plain_page(problem_of(NotFound("<script>alert(1)</script>")))


@get("/api/number")
async def number(n: FromQuery[int]) -> int:
    """Wants a number."""
    return n


@post("/api/body")
async def body(data: JSONBody[dict[str, int]]) -> int:
    """Wants an object of numbers."""
    return len(data)


@get("/boom")
async def boom() -> None:
    """Fails."""
    raise RuntimeError("secret")


@pytest.fixture(scope="module")
def client() -> TestClient[Litestar]:
    return TestClient(
        Litestar(
            [number, body, boom], exception_handlers={Exception: handle}, openapi_config=None, logging_config=None
        ),
        raise_server_exceptions=False,
    )


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/api/number?n=x", b"", 422, "invalid_input"),
        ("GET", "/api/number", b"", 422, "invalid_input"),
        ("POST", "/api/body", b'{"a": "b"}', 422, "invalid_input"),
        ("POST", "/api/body", b"{", 400, "malformed_request"),
        ("POST", "/api/body", b"\xff\xfe", 400, "malformed_request"),
        ("POST", "/api/number", b"", 405, "method_not_allowed"),
        ("GET", "/api/nothing", b"", 404, "not_found"),
        ("GET", "/boom", b"", 500, "internal"),
    ],
)
def test_what_the_framework_refuses_is_told_in_our_words(
    client: TestClient[Litestar], method: str, path: str, content: bytes, status: int, code: str
) -> None:
    """Problem+json with a stable code for everything."""
    answer = client.request(method, path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_fields_are_named(client: TestClient[Litestar]) -> None:
    """A wrong parameter is named with what is wrong about it."""
    assert list(client.get("/api/number?n=x").json()["errors"]) == ["n"]


def test_people_get_a_page(client: TestClient[Litestar]) -> None:
    """Outside the API a browser is answered in HTML; inside it never is."""
    for path, kind in (("/nothing", "text/html"), ("/boom", "text/html"), ("/api/nothing", "application/problem+json")):
        assert client.get(path, headers={"accept": "text/html"}).headers["content-type"].startswith(kind)
