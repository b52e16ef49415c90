"""How the bytes of a file are handed to the HTTP server by ASGI: read here, or by the server's own threads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix
from streamhost.server.delivery import Delivery
from streamhost.server.hot import PIECE
from streamhost.server.reply import READ_LIMIT
from streamhost.storage.local import LocalStorage
from tests.support.asgi import PATHSEND, told

VIDEO, PACKAGE, SESSION = VideoId("deliveredvideo01"), PackageId("deliveredpack001"), SessionId("somebodyssession")
NAME = "v720/0.m4s"
ROOT = package_prefix(VIDEO, PACKAGE)
LARGE = os.urandom(READ_LIMIT + 1)


async def messages(
    folder: Path, content: bytes, method: str = "GET", *, offers: tuple[str, ...] = (PATHSEND,), **headers: str
) -> list[dict[str, Any]]:
    """What is told to a server that `offers` these extensions about a request for a file with this content."""
    storage, grants = LocalStorage(folder), Grants({1: b"k" * 32}, system_clock, 600)
    await storage.put_bytes(ROOT + NAME, content)
    path = f"/s/{grants.issue(VIDEO, PACKAGE, SESSION)[0]}/{VIDEO}/{NAME}"
    return await told(Delivery(grants, storage), path, method, offers=offers, **headers)


def body(rest: list[dict[str, Any]]) -> bytes:
    """The bytes of messages that all carry some, of which the last alone says that it is the last."""
    assert {message["type"] for message in rest} == {"http.response.body"}
    assert [message.get("more_body", False) for message in rest] == [True] * (len(rest) - 1) + [False]
    return b"".join(message["body"] for message in rest)


async def test_a_large_file_is_named_and_not_read(tmp_path: Path) -> None:
    """The server is told the path of the file, and sends all of it itself: no byte of it comes from here."""
    start, *rest = await messages(tmp_path, LARGE)
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert dict(start["headers"])[b"content-length"] == b"%d" % len(LARGE)
    assert rest == [{"type": PATHSEND, "path": str(tmp_path / ROOT / NAME)}]
    assert Path(rest[0]["path"]).read_bytes() == LARGE


async def test_a_small_file_is_read_in_one_go(tmp_path: Path) -> None:
    """Up to the limit one message has all of it, which is quicker."""
    start, *rest = await messages(tmp_path, LARGE[:READ_LIMIT])
    assert (start["status"], len(rest), body(rest)) == (200, 1, LARGE[:READ_LIMIT])


async def test_a_server_that_cannot_is_given_the_bytes(tmp_path: Path) -> None:
    """Without the extension, a large file comes in pieces."""
    start, *rest = await messages(tmp_path, LARGE, offers=())
    assert (start["status"], body(rest)) == (200, LARGE)
    assert max(len(message["body"]) for message in rest) == PIECE


@pytest.mark.parametrize("end", [len(LARGE) + 1, 2 * len(LARGE)])
async def test_a_part_of_a_large_file_comes_in_pieces(tmp_path: Path, end: int) -> None:
    """A message with a path knows no ranges, so that a part, also one up to the end, is never sent by one."""
    content = LARGE * 2
    start, *rest = await messages(tmp_path, content, range=f"bytes=1-{end - 1}")
    assert (start["status"], body(rest)) == (206, content[1:end])
    assert len(rest) > 1


async def test_who_asks_for_the_head_gets_no_file(tmp_path: Path) -> None:
    """The length of a large file is told, and no path."""
    start, *rest = await messages(tmp_path, LARGE, "HEAD")
    assert dict(start["headers"])[b"content-length"] == b"%d" % len(LARGE)
    assert body(rest) == b""
