"""A server reached over HTTP: what is asked again, and what is an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from streamhost.cli import remote
from streamhost.cli.desks import ServerDesk
from streamhost.cli.remote import Refused, Remote, Transfer, Unreachable


@contextmanager
def answering(statuses: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in order, the last one for ever: its address, and the methods it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = statuses[min(len(asked), len(statuses) - 1)]
            asked.append(self.command)
            self.send_response(status)
            self.send_header("Upload-Offset", "0")
            self.send_header("Location", "/api/v1/uploads/one")
            body = b'{"title": "The job is over."}'
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        do_POST = do_GET = do_HEAD = do_PATCH = answer

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [404, 409, 423])
def test_a_conflict_is_an_answer_to_a_lever(status: int) -> None:
    """A job that is over already cannot be cancelled: the command says so at once, and asks once."""
    with answering([status]) as (url, asked), pytest.raises(Refused, match="The job is over"):
        ServerDesk(Remote(url, "token")).steer_job("one", "cancel", None)
    assert asked == ["POST"]


@pytest.mark.parametrize("status", sorted(remote.PASSING))
def test_what_passes_is_asked_again(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is away for a moment keeps no command from its answer."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with answering([status, status, 200]) as (url, asked):
        assert ServerDesk(Remote(url, "token")).job("one")["title"]
    assert asked == ["GET"] * 3


def test_what_must_not_happen_twice_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither after an error that may pass, nor when nobody answers; each is told in words."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with answering([503, 200]) as (url, asked), pytest.raises(Refused):
        Remote(url, "token").once("POST", "/secret")
    assert asked == ["POST"]
    with pytest.raises(Unreachable, match=re.escape("127.0.0.1:1")):
        Remote("http://127.0.0.1:1", "token").once("POST", "/secret")


@pytest.mark.parametrize("status", [409, 423, 460])
def test_an_upload_looks_again_where_it_stands(status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To an upload a conflict is no answer: another connection had it, or its bytes were damaged on the way."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    file = tmp_path / "film.mp4"
    file.write_bytes(b"film")
    with answering([status, 200]) as (url, asked):
        transfer = Transfer(Remote(url, "token"), file, {}, lambda _offset: None)
        assert transfer.known(f"{url}/api/v1/uploads/one")
    assert asked == ["HEAD"] * 2
