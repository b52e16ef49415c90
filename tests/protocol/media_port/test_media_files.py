"""Files on the port for media: those that the disk has to give first, that fail or shrink, and other storages."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from streamhost.ports import StorageUnavailable
from streamhost.server.ranges import Range
from streamhost.server.reply import FilePart
from streamhost.server.straight import sending, warming
from streamhost.storage.memory import MemoryStorage
from tests.support.media_port import LARGE, SENDING, SMALL, Place, a_place, one_answer
from tests.support.waiting import until


async def test_a_file_that_is_not_in_memory_is_fetched_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a thread, a window at a time, ranges included; others are served while the disk is waited for."""
    monkeypatch.setattr(f"{SENDING}.WINDOW", 3_000_000)
    monkeypatch.setattr(f"{SENDING}.resident", lambda *_: False)
    fetched: list[tuple[int, int]] = []

    def noted(file: int, start: int, end: int) -> None:
        fetched.append((start, end))
        warming.read_through(file, start, end)

    monkeypatch.setattr(f"{SENDING}.read_through", noted)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(place.request("large.m4s"))
    assert (await one_answer(reader))[2] == LARGE
    assert fetched == [(at, min(at + 3_000_000, len(LARGE))) for at in range(0, len(LARGE), 3_000_000)]
    fetched.clear()
    writer.write(place.request("large.m4s", "Host: x", "Range: bytes=5000000-5999999"))
    assert (await one_answer(reader))[2] == LARGE[5_000_000:6_000_000]
    assert fetched == [(5_000_000, 6_000_000)]
    writer.close()


async def test_a_disk_is_not_waited_for_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes before a thread comes to their file is not read for; a file that is being read is let go afterwards."""
    held, began = threading.Event(), threading.Event()
    reads: list[int] = []

    def wait(file: int, *_: int) -> None:
        reads.append(file)
        began.set()
        held.wait(150)

    monkeypatch.setattr(f"{SENDING}.resident", lambda *_: False)
    monkeypatch.setattr(f"{SENDING}.read_through", wait)
    path = tmp_path / "large.m4s"
    path.write_bytes(LARGE)
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far, ThreadPoolExecutor(1) as readers:
        loop = asyncio.get_running_loop()
        first, second = (sending.Sender(loop, near, readers, lambda: None, lambda: None) for _ in range(2))
        parts = [FilePart(os.open(path, os.O_RDONLY), str(path), Range(0, len(LARGE)), True) for _ in range(2)]
        for sender, part in zip((first, second), parts, strict=True):
            assert not sender.send(b"head", part)
        assert await asyncio.to_thread(began.wait, 150)
        first.close()
        second.close()
        assert os.fstat(parts[0].number)
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(parts[1].number)
        held.set()
        await until(
            lambda: str(path) not in [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
        )
    assert reads == [parts[0].number]


async def test_the_head_of_an_empty_file_is_not_held_back() -> None:
    """The kernel is told to wait for more only where more comes."""
    flags: list[int] = []
    near, far = socket.socketpair()

    class Noted:
        def fileno(self) -> int:
            return near.fileno()

        def send(self, data: memoryview, flag: int) -> int:
            flags.append(flag)
            return near.send(data)

    with near, far, ThreadPoolExecutor(1) as readers, tempfile.TemporaryFile() as file:
        file.write(SMALL)
        file.flush()
        loop = asyncio.get_running_loop()
        sender = sending.Sender(loop, cast(socket.socket, Noted()), readers, lambda: None, lambda: None)
        for end in (0, 1000):
            part = FilePart(os.dup(file.fileno()), "", Range(0, end), end == 1000)
            assert sender.send(b"head", part)
            assert far.recv(2000) in (b"head", b"head" + SMALL)
    assert flags == [0, socket.MSG_MORE]


async def test_a_disk_that_fails_ends_the_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head is out by then, so the connection is cut: fewer bytes than were promised tell that it failed."""

    def fail(*_: int) -> None:
        raise OSError("the disk is broken")

    monkeypatch.setattr(f"{SENDING}.resident", lambda *_: False)
    monkeypatch.setattr(f"{SENDING}.read_through", fail)
    answer = await place.exchange(place.request("large.m4s"))
    assert answer.partition(b"\r\n\r\n")[2] == b""


async def test_a_file_that_shrinks_meanwhile_ends_the_answer(place: Place) -> None:
    """Nothing is made up for what is missing, and nobody waits for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
    writer.write(place.request("large.m4s"))
    await reader.readuntil(b"\r\n\r\n")
    os.truncate(place.folder / "large.m4s", 19_000_000)
    rest = await reader.read()
    assert LARGE.startswith(rest)
    assert len(rest) < len(LARGE)
    writer.close()


async def test_another_storage_is_streamed(tmp_path: Path) -> None:
    """What lies elsewhere comes as it is read, whole and in part, one answer after the other on one connection."""
    async with a_place(tmp_path, MemoryStorage()) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(place.request("large.m4s") + place.request("none.m4s") + place.request("small.m4s"))
        assert (await one_answer(reader))[2] == LARGE
        assert (await one_answer(reader))[0] == 404
        assert (await one_answer(reader))[2] == SMALL
        writer.write(place.request("large.m4s", "Host: x", "Range: bytes=9-99"))
        assert (await one_answer(reader))[2] == LARGE[9:100]
        writer.close()


async def test_another_storage_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with words; a client that leaves while it is read ends the reading."""
    async with a_place(tmp_path, MemoryStorage()) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1024)
        writer.write(place.request("large.m4s"))
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await until(lambda: not [task for task in asyncio.all_tasks() if task.get_name() == "media"])

        async def fail(_key: str) -> None:
            raise StorageUnavailable("secret words")

        monkeypatch.setattr(place.storage, "stat", fail)
        answer = await place.exchange(place.request("small.m4s", "Host: x", "Connection: close"))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"secret words" not in answer
