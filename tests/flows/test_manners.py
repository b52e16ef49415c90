"""The manners of every answer of a real server: probes, headers, refusals, odd clients, its description."""

from __future__ import annotations

import contextlib
import os
import socket

import httpx
import pytest

from tests.support.server import RunningServer, until


def test_the_probes(server: RunningServer) -> None:
    """/livez, /startupz and /readyz answer 200; the last names its parts."""
    # On a disk that is held up for seconds it is right to say 503 for so long.
    until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200)
    for path in ("/livez", "/startupz", "/readyz"):
        answer = httpx.get(server.url + path)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        assert answer.headers["cache-control"] == "no-store"
    assert httpx.get(f"{server.url}/readyz").json()["parts"] == {"catalog": "ok", "storage": "ok", "worker": "ok"}


WORDS = {"type": "string"}
"""The schema of what may be anything."""
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/login", "/nothing", "/api/docs", "/api/openapi.json", "/api/v1/videos", "/api/v1/me"]
)
def test_every_answer_is_well_dressed(site: RunningServer, path: str) -> None:
    """Security headers and a request id on pages, data and errors alike, and a policy without any unsafe word."""
    answer = httpx.get(site.url + path, headers={"accept": "text/html"})
    for name, value in SECURITY.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert len(answer.headers["x-request-id"]) == 16


def test_a_request_keeps_the_id_of_the_proxy(site: RunningServer) -> None:
    """An id that looks like one is kept for tracing; anything else is replaced."""
    for given, kept in (("abcdef-12345678", True), ("x", False), ("a b c d e f g h", False), ("x" * 65, False)):
        answer = httpx.get(f"{site.url}/livez", headers={"x-request-id": given})
        assert (answer.headers["x-request-id"] == given) is kept


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/openapi.json", "/api/docs", "/api/v1/videos", "/login"])
def test_head_is_get_without_the_body(site: RunningServer, path: str) -> None:
    """Every GET answers HEAD with the same status and type (RFC 9110, 9.3.2)."""
    until(lambda: httpx.get(site.url + path).status_code == 200)
    get, head = httpx.get(site.url + path), httpx.head(site.url + path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/v1/videos/0000000000000000", 404, "not_found"),
        ("GET", "/api/v1/stream/0000000000000000", 404, "not_found"),
        ("GET", "/api/v1/stream/..%2f..%2fetc", 404, "not_found"),
        ("PUT", "/api/v1/videos", 405, "method_not_allowed"),
        ("GET", "/api/v1/me", 401, "unauthenticated"),
        ("GET", "/api/v1/videos?limit=x", 422, "invalid_input"),
        ("POST", "/livez", 405, "method_not_allowed"),
    ],
)
def test_every_refusal_is_a_problem(site: RunningServer, method: str, path: str, status: int, code: str) -> None:
    """problem+json with a stable code, whatever was asked (RFC 9457)."""
    answer = httpx.request(method, site.url + path, headers={"accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert ("allow" in answer.headers) is (status == 405)


def test_a_person_is_answered_with_a_page(site: RunningServer) -> None:
    """404 outside the API is HTML for browsers, a problem for programs."""
    page = httpx.get(f"{site.url}/nothing", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (404, "text/html")
    assert httpx.get(f"{site.url}/nothing").headers["content-type"] == "application/problem+json"


def test_a_trailing_slash_changes_nothing(site: RunningServer) -> None:
    """`/api/v1/videos/` is `/api/v1/videos`."""
    assert httpx.get(f"{site.url}/api/v1/videos/").status_code == 200


def test_a_head_too_large_is_refused_and_the_server_goes_on(site: RunningServer) -> None:
    """A megabyte of headers is 431 or a closed connection, never a crash."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=150) as raw, contextlib.suppress(OSError):
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 1_000_000 + b"\r\n\r\n")
        answer = raw.recv(1000)
        assert answer == b"" or b" 431 " in answer
    assert httpx.get(f"{site.url}/livez").status_code == 200


def test_nonsense_on_the_wire_harms_nobody(site: RunningServer) -> None:
    """Random bytes, half requests and empty connections leave the server as it was."""
    for content in (
        b"",
        b"\x00" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /livez",
        os.urandom(2000),
        b"PRI * HTTP/2.0\r\n",
    ):
        with socket.create_connection(("127.0.0.1", site.port), timeout=150) as raw:
            raw.sendall(content)
    assert httpx.get(f"{site.url}/livez").status_code == 200


def test_a_slow_client_blocks_nobody(site: RunningServer) -> None:
    """Fifty connections that send a head letter by letter: the next one is served at once."""
    slow = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(50)]
    for raw in slow:
        raw.sendall(b"GET /livez HTTP/1.1\r\nHo")
    assert httpx.get(f"{site.url}/livez", timeout=150).status_code == 200
    for raw in slow:
        raw.settimeout(60)
        raw.sendall(b"st: slow\r\n\r\n")
        assert raw.recv(12) == b"HTTP/1.1 200", "it still waited for the rest of its head"
        raw.close()


def test_http2_is_spoken_too(site: RunningServer) -> None:
    """A client that begins with the HTTP/2 preface is answered in HTTP/2 (proxies do so on their inner side)."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=150) as raw:
        raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        frame = raw.recv(9)
    assert frame[3] == 4, "the first frame of a server is SETTINGS (RFC 9113, 3.4)"


def test_routes_say_what_they_answer_to_wrong_words(site: RunningServer) -> None:
    """Where something in the address can be wrong, 422 is among the answers that are described."""
    silent = []
    for path, operations in httpx.get(f"{site.url}/api/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            asked = [one["schema"] for one in operation.get("parameters", ()) if one["in"] == "query"]
            wrong = [schema for schema in asked if schema != WORDS and schema.get("oneOf") != [WORDS, {"type": "null"}]]
            if wrong and "422" not in operation["responses"]:
                silent.append(f"{method} {path}: {wrong}")
    assert silent == []


def test_the_api_describes_itself(site: RunningServer) -> None:
    """OpenAPI 3.1 for programs, and a page for people that loads nothing from elsewhere."""
    schema = httpx.get(f"{site.url}/api/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert {"/livez", "/api/v1/videos", "/api/v1/stream/{video_id}", "/api/v1/auth/login"} <= set(schema["paths"])
    page = httpx.get(f"{site.url}/api/docs")
    assert page.status_code == 200
    assert "GET /api/v1/stream/{video_id}" in page.text
    for word in ("<script", "<style", "style=", "//cdn", "https://"):
        assert word not in page.text
