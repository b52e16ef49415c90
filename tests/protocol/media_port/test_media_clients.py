"""Clients of the port for media that are slow, lost, idle or too many; and the end of the port."""

from __future__ import annotations

import asyncio
import errno
import socket
from pathlib import Path
from typing import cast

import pytest

from streamhost.server.straight import connection, listener
from tests.support.media_port import LARGE, SENDING, SMALL, Place, a_place, one_answer, open_files
from tests.support.waiting import until


async def test_a_client_that_takes_nothing_holds_up_nobody(place: Place) -> None:
    """Others are served meanwhile; what it takes in the end is right."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, ("127.0.0.1", place.port))
    await loop.sock_sendall(slow, place.request("large.m4s", "Host: x", "Connection: close"))
    for _ in range(20):
        assert (await place.exchange(place.request("small.m4s", "Host: x", "Connection: close"))).endswith(SMALL)
    answer = bytearray()
    while piece := await loop.sock_recv(slow, 1 << 20):
        answer += piece
    assert answer.endswith(LARGE)
    slow.close()


@pytest.mark.parametrize(
    ("sent", "constant"), [("", "HEAD_SECONDS"), ("GET /s/ HT", "HEAD_SECONDS"), ("small", "IDLE_SECONDS")]
)
async def test_who_asks_for_nothing_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: str, constant: str
) -> None:
    """Who never begins, who never ends a head, and who comes back for nothing, each after its time."""
    monkeypatch.setattr(connection, constant, 0.2)
    monkeypatch.setattr(listener, "LOOK_SECONDS", 0.05)
    async with a_place(tmp_path) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(place.request("small.m4s") if sent == "small" else sent.encode())
        if sent == "small":
            assert (await one_answer(reader))[2] == SMALL
        assert await reader.read() == b""
        writer.close()


async def test_who_takes_nothing_for_long_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket and the file are let go; what it takes afterwards is less than it asked for."""
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.2)
    monkeypatch.setattr(listener, "LOOK_SECONDS", 0.05)
    async with a_place(tmp_path) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
        before = open_files()
        writer.write(place.request("large.m4s"))
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: open_files() < before)
        assert len(await reader.read()) < len(LARGE)
        writer.close()


async def test_who_hangs_up_leaves_nothing_behind(place: Place) -> None:
    """No open file, no connection: in the middle of an answer, of a head, and before either."""
    before = open_files()
    for sent in (place.request("large.m4s"), place.request("large.m4s") * 3, place.request("small.m4s")[:20], b""):
        for linger in (False, True):
            client = socket.create_connection(("127.0.0.1", place.port))
            client.sendall(sent)
            await asyncio.sleep(0.02)
            if linger:  # a reset instead of an end
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
    await until(lambda: open_files() <= before)
    assert (await place.exchange(place.request("small.m4s", "Host: x", "Connection: close"))).endswith(SMALL)


async def test_it_finishes_what_it_is_at(tmp_path: Path) -> None:
    """At the end nobody is cut off who is being answered; idle connections close, and nobody comes in any more."""
    async with a_place(tmp_path, patience=60) as place:
        idle, _ = await asyncio.open_connection("127.0.0.1", place.port)
        busy, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
        writer.write(place.request("large.m4s"))
        status = await busy.readuntil(b"\r\n\r\n")
        rest = asyncio.create_task(busy.read())
    assert status.startswith(b"HTTP/1.1 200 ")
    assert await rest == LARGE
    assert await idle.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", place.port)


async def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A client that takes nothing is cut off when patience ends."""
    async with a_place(tmp_path, patience=0.2) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
        writer.write(place.request("large.m4s"))
        await reader.readuntil(b"\r\n\r\n")
    assert len(await reader.read()) < len(LARGE)
    writer.close()


async def test_more_clients_than_it_takes_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is sent away who has only just come; each is served when one has what it asked for, and has gone."""
    monkeypatch.setattr(listener, "CONNECTIONS", 2)
    async with a_place(tmp_path) as place:
        streams = [await asyncio.open_connection("127.0.0.1", place.port, limit=1024) for _ in range(5)]
        for _, writer in streams:
            writer.write(place.request("large.m4s"))
        for reader, writer in streams:
            assert (await one_answer(reader))[2] == LARGE
            writer.close()


async def test_who_asks_for_nothing_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that nobody uses keep nobody out: the one that has been quiet for longest goes."""
    monkeypatch.setattr(listener, "CONNECTIONS", 2)
    monkeypatch.setattr(listener, "UNUSED_SECONDS", 0.0)
    async with a_place(tmp_path) as place:
        quiet = []
        for _ in range(2):
            quiet.append(await asyncio.open_connection("127.0.0.1", place.port))
            quiet[-1][1].write(place.request("small.m4s"))
            assert (await one_answer(quiet[-1][0]))[2] == SMALL
        assert (await place.exchange(place.request("small.m4s", "Host: x", "Connection: close"))).endswith(SMALL)
        assert await quiet[0][0].read() == b""
        for _, writer in quiet:
            writer.close()


async def test_a_fault_ends_one_connection(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in our own code: nobody waits for ever, and the others do not notice."""

    def fail(*_: object) -> None:
        raise RuntimeError("no more threads")

    with monkeypatch.context() as broken:
        broken.setattr(f"{SENDING}.resident", fail)
        assert (await place.exchange(place.request("large.m4s"))).partition(b"\r\n\r\n")[2] == b""
    assert (await place.exchange(place.request("small.m4s", "Host: x", "Connection: close"))).endswith(SMALL)


async def test_who_cannot_be_accepted_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many files are open, it is tried again after a rest, however many answers end meanwhile."""
    monkeypatch.setattr(listener, "REST_SECONDS", 0.3)
    tries = 0

    class Full:
        """The bound socket, which has no room at first."""

        def __init__(self, bound: socket.socket) -> None:
            self._bound = bound

        def fileno(self) -> int:
            return self._bound.fileno()

        def close(self) -> None:
            self._bound.close()

        def accept(self) -> tuple[socket.socket, tuple[str, int]]:
            nonlocal tries
            tries += 1
            if 2 < tries < 5:
                raise OSError(errno.EMFILE, "Too many open files")
            accepted, (host, port) = self._bound.accept()
            return accepted, (host, port)

    real = listener.MediaPort.__init__
    monkeypatch.setattr(
        listener.MediaPort, "__init__", lambda port, bound, *rest: real(port, cast(socket.socket, Full(bound)), *rest)
    )
    async with a_place(tmp_path) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(place.request("small.m4s"))
        assert (await one_answer(reader))[2] == SMALL
        assert tries == 2
        waiting = asyncio.create_task(place.exchange(place.request("small.m4s", "Host: x", "Connection: close")))
        for _ in range(20):
            writer.write(place.request("small.m4s"))
            assert (await one_answer(reader))[2] == SMALL
        assert (await waiting).endswith(SMALL)
        assert tries <= 7
        writer.close()
