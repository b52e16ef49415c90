"""The OpenAPI document is a promise: whatever is sent, the answer is one that the document describes.

Requests are made from the document of a running server, right ones and wrong ones, with a fixed seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation

from streamhost.testing.clips import Clip
from tests.support.clips import cached
from tests.support.server import Api, RunningServer

Operation = APIOperation[Any, Any, Any, Any]

SEED = 20261122
EXAMPLES = 5
"""Requests for each operation and each one who asks."""
PASSWORD = "correct horse battery"
LIKELY: dict[str, Any] = {
    "password": PASSWORD,
    "new_password": PASSWORD,
    "name": "N",
    "note": "",
    "invitation": "",
    "role": "viewer",
    "scopes": ["read"],
    "days": 7,
    "uses": 1,
    "bytes": 1000,
    "videos": 3,
    "to": "n@example.org",
}
"""Values that the server takes, by the names that bodies give them."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CODES_OF_NO_FAULT = {503, 507}
"""Statuses above 499 that the document may name: mail that cannot be sent, and no room."""
ANSWERED = {"anonymous": 8, "creator": 25, "admin": 40}
"""For how many operations at least one request has to succeed, so that it is not only refusals that are looked at."""
TUS = {
    "Tus-Resumable": ("1.0.0", "1.0.0", "1.0.0", "0.2.2"),
    "Upload-Length": ("3", "0", "-1", "9" * 30, None),
    "Upload-Offset": ("0", "0", "1", "x", None),
    "Upload-Metadata": (None, "title ZmlsbQ==", "title %%", "visibility ZmlsbQ=="),
    "Upload-Concat": (None, None, "partial", "final;", "final;/api/v1/uploads/aaaaaaaaaaaaaaaa"),
    "Upload-Checksum": (None, None, "sha1 AAAA", "crc99 AAAA", "sha1"),
    "Upload-Defer-Length": (None, None, "1", "2"),
    "X-HTTP-Method-Override": (None, "DELETE", "HEAD", "PATCH", "TRACE"),
    "Content-Type": (None, "application/offset+octet-stream", "application/offset+octet-stream", "text/plain"),
}
APART = frozenset({"/api/v1/notifications/stream", "/api/v1/admin/restart"})
"""An answer that goes on until somebody hangs up, and a request after which the server begins anew under all others;
both have tests of their own."""
READING = frozenset({"get", "head", "options"})
GOOD_TUS: dict[str, str | None] = {
    "Tus-Resumable": "1.0.0",
    "Upload-Length": "3",
    "Upload-Offset": "0",
    "X-HTTP-Method-Override": "PATCH",
    "Content-Type": "application/offset+octet-stream",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A running server with a public film, its description, and somebody who may add users."""

    server: RunningServer
    schema: Any
    root: Api
    film: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def newcomer(self, role: str) -> tuple[Api, str]:
        """Somebody who has just been added, and signed in from an address of their own; and their id."""
        number = next(self.numbers)
        user = {"email": f"n{number}@example.org", "password": PASSWORD, "name": "N", "role": role, "verified": True}
        added = self.root.post("/api/v1/admin/users", json=user)
        assert added.status_code == 201, added.text
        api = self.server.client()
        api.headers["X-Forwarded-For"] = f"10.0.{number // 250}.{number % 250}"
        api.sign_in(f"n{number}@example.org", PASSWORD)
        return api, str(added.json()["id"])

    def things(self, operation: Operation, asking: Api) -> dict[str, str]:
        """Ids of what there is, for the path of `operation`; of the asking one's own where that can be."""
        path, found = operation.path, {}
        if "{user_id}" in path:
            someone, found["user_id"] = self.newcomer("viewer")
            someone.close()
        if "{session_id}" in path:
            of = f"/api/v1/admin/users/{found['user_id']}/sessions" if found else "/api/v1/auth/sessions"
            found["session_id"] = (self.root if found else asking).get(of).json()["items"][0]["id"]
        if "{token_id}" in path:
            token = {"name": "s", "scopes": ["read"], "password": PASSWORD}
            found["token_id"] = asking.post("/api/v1/me/tokens", json=token).json()["details"]["id"]
        if "{invitation_id}" in path:
            made = self.root.post("/api/v1/admin/invitations", json={"role": "viewer"}).json()
            found["invitation_id"] = made["invitation"]["id"]
        if "{upload_id}" in path:
            sent = asking.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "3"})
            found["upload_id"] = sent.headers["Location"].rpartition("/")[2]
        if "{video_id}" in path:
            found["video_id"] = self.film if operation.method == "get" else self._video(asking)
        return found

    def _video(self, asking: Api) -> str:
        sent = asking.post("/api/v1/upload", files={"file": ("film.mp4", b"no film")})
        return str(sent.json()["video"]["id"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that counts no requests, and where everybody may register."""
    data: Path = tmp_path_factory.mktemp("described") / "data"
    server = RunningServer(
        data,
        STREAMHOST_LIMITS_ENABLED="false",
        STREAMHOST_SERVER_TRUSTED_PROXIES="127.0.0.1/32",
        STREAMHOST_ACCOUNTS_REGISTRATION="open",
        STREAMHOST_UPLOADS_KEEP_FREE="0",
    ).start()
    try:
        server.add_user("root@example.org", "admin")
        root = server.client("root@example.org")
        film = root.upload(cached(Clip(seconds=1.0, width=128, height=72), ".mp4"), title="F", visibility="public")
        root.wait_until(film, "ready")
        yield Site(server, schemathesis.openapi.from_url(f"{server.url}/api/openapi.json"), root, film)
    finally:
        server.stop()


def cases(operation: Operation, known: dict[str, str]) -> st.SearchStrategy[tuple[Case[Any], dict[str, str]]]:
    """Requests: right ones, wrong ones where something can be wrong; half of them about things that there are, and with
    words of which the server thinks well."""
    kinds = [operation.as_strategy(GenerationMode.POSITIVE)]
    if operation.body or operation.query:
        kinds.append(operation.as_strategy(GenerationMode.NEGATIVE))
    headers: st.SearchStrategy[dict[str, str | None]] = st.just({})
    if operation.path.startswith("/api/v1/uploads"):
        odd = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in TUS.items()})
        headers = st.one_of(st.just(GOOD_TUS), odd)

    def joined(
        case: Case[Any], held: bool, number: int, sent: dict[str, str | None]
    ) -> tuple[Case[Any], dict[str, str]]:
        if held:
            case.path_parameters = {**case.path_parameters, **known}
            if isinstance(case.body, dict):
                likely = LIKELY | {"email": f"e{number}@example.org"}
                case.body = {name: likely.get(name, value) for name, value in case.body.items()}
        return case, {name: value for name, value in sent.items() if value is not None}

    return st.builds(joined, st.one_of(kinds), st.booleans(), st.integers(0), headers)


def ask(operation: Operation, known: dict[str, str], proof: dict[str, str]) -> tuple[set[int], list[str]]:
    """The statuses that were answered, and what was wrong with answers."""
    statuses: set[int] = set()
    wrong: list[str] = []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(operation, known))
    def one(made: tuple[Case[Any], dict[str, str]]) -> None:
        case, sent = made
        headers = proof | sent
        answer = case.call(headers=headers, timeout=150)
        statuses.add(answer.status_code)
        checks = CHECKS[1:] if answer.status_code in CODES_OF_NO_FAULT else CHECKS
        try:
            case.validate_response(answer, checks=checks, headers=headers)
        except FailureGroup as failures:
            words = "; ".join(f"{one.title}: {one.message}" for one in failures.exceptions)
            wrong.append(f"{operation.label}: {answer.status_code} {answer.text[:200]}\n{words}")

    one()
    return statuses, wrong


@pytest.mark.slow
@pytest.mark.parametrize("who", ANSWERED)
def test_no_answer_is_a_surprise(site: Site, who: str) -> None:
    """Whatever anonymous visitors, creators and admins send to the API, the answer is described and is no failure."""
    wrong: list[str] = []
    succeeded = set()
    shared, _ = site.newcomer("creator" if who == "anonymous" else who)
    for found in site.schema.get_all_operations():
        operation = found.ok()
        if not operation.path.startswith("/api/v1/") or operation.path in APART:
            continue
        # What changes something may end the session or the account, so whoever asks for that has just signed in.
        asking = shared if who == "anonymous" or operation.method in READING else site.newcomer(who)[0]
        proof = {} if who == "anonymous" else {"Authorization": asking.headers["Authorization"]}
        statuses, surprises = ask(operation, site.things(operation, asking), proof)
        wrong += surprises
        if any(status < 300 for status in statuses):
            succeeded.add(operation.label)
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    assert len(succeeded) >= ANSWERED[who], sorted(succeeded)
