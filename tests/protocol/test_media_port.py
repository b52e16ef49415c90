"""The port for media as a connection: what counts as a request, order, slow and lost clients, and its end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from streamhost.measures import Measures
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix
from streamhost.ports import Storage, StorageUnavailable
from streamhost.server.delivery import Delivery
from streamhost.server.straight import connection, listener, reading, warming
from streamhost.storage.local import LocalStorage
from streamhost.storage.memory import MemoryStorage
from tests.support.media_port import media_port
from tests.support.waiting import until

VIDEO, PACKAGE, SESSION = VideoId("deliveredvideo01"), PackageId("deliveredpack001"), SessionId("somebodyssession")
SMALL, LARGE = os.urandom(1000), os.urandom(20_000_000)
ROOT = package_prefix(VIDEO, PACKAGE)
SENDING = "streamhost.server.straight.sending"


@dataclass(slots=True)
class Place:
    """A port with a small and a large file behind it."""

    port: int
    root: str
    folder: Path
    storage: Storage
    measures: Measures

    def request(self, name: str, *lines: str, version: str = "1.1") -> bytes:
        """A request for a file, as it goes over the wire."""
        head = (f"GET {self.root}/{name} HTTP/{version}", *(lines or ("Host: x",)))
        return "\r\n".join((*head, "", "")).encode()

    async def exchange(self, sent: bytes) -> bytes:
        """Everything that is answered to these bytes, until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer


async def one_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer on a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


@asynccontextmanager
async def a_place(folder: Path, storage: Storage | None = None, patience: float = 0.0) -> AsyncIterator[Place]:
    """A place on this storage, or on the folder."""
    ring = {1: b"k" * 32}
    grants, measures = Grants(ring, system_clock, 600), Measures()
    storage = storage or LocalStorage(folder)
    for name, content in (("small.m4s", SMALL), ("large.m4s", LARGE)):
        await storage.put_bytes(ROOT + name, content)
    delivery = Delivery(grants, storage)
    async with media_port(delivery, measures, patience) as url:
        root = f"/s/{grants.issue(VIDEO, PACKAGE, SESSION)[0]}/{VIDEO}"
        yield Place(urlsplit(url).port or 0, root, folder / ROOT, storage, measures)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_place(tmp_path) as made:
        yield made


async def test_requests_in_one_go_are_answered_in_order(place: Place) -> None:
    """Pipelined, whole and halved anywhere: each answer ends where it says, and each request is counted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    names = ["small.m4s", "large.m4s", "none.m4s", "small.m4s"] * 2
    sent = b"".join(place.request(name) for name in names)
    for part in (sent[:100], sent[100:103], sent[103:]):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.02)
    for name in names:
        status, headers, body = await one_answer(reader)
        assert (status, body if status == 200 else None) == (
            (404, None) if name == "none.m4s" else (200, LARGE if name == "large.m4s" else SMALL)
        )
        assert headers["date"].endswith("GMT")
        assert "connection" not in headers
    assert place.measures.delivered == len(names)
    writer.close()


async def test_a_request_may_come_byte_by_byte(place: Place) -> None:
    """However it is cut up, it is the same request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    for byte in place.request("small.m4s", "Host: x", "Range: bytes=10-19"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    status, headers, body = await one_answer(reader)
    assert (status, headers["content-range"], body) == (206, "bytes 10-19/1000", SMALL[10:20])
    writer.close()


@pytest.mark.parametrize(
    ("lines", "version"), [(("Host: x", "Connection: close"), "1.1"), ((), "1.0"), (("Connection: keep-alive",), "1.0")]
)
async def test_it_closes_when_it_is_asked_to(place: Place, lines: tuple[str, ...], version: str) -> None:
    """After the answer, and says so; HTTP/1.0 is never kept open."""
    answer = await place.exchange(place.request("large.m4s", *lines, version=version))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close" in head
    assert body == LARGE


async def test_the_absolute_form_is_understood(place: Place) -> None:
    """As RFC 9112 demands of every server, section 3.2.2; escapes are resolved once."""
    for target in (f"http://x{place.root}/small.m4s", f"{place.root}/small%2Em4s", f"{place.root}/small.m4s?a=%2F"):
        answer = await place.exchange(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(SMALL)


@pytest.mark.parametrize(
    "sent",
    [
        "GET {0} HTTP/1.1\r\n\r\n",
        "GET {0} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET {0} HTTP/1.1\nHost: x\n\n",
        "GET {0} HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET {0} HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        "GET {0} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET {0} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET {0} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "GET {0} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET {0} HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        "GET {0} HTTP/9.9\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00",
        "nonsense\r\n\r\n",
    ],
)
async def test_what_is_no_request_ends_the_connection(place: Place, sent: str) -> None:
    """400 and the end, so that nothing which follows can be taken for a request by one and not by another."""
    smuggled = place.request("small.m4s").decode()
    answer = await place.exchange((sent.format(f"{place.root}/small.m4s") + smuggled).encode("latin-1"))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert SMALL not in answer


@pytest.mark.parametrize("lines", [["A: " + "a" * 70_000], [f"A{n}: {'b' * 900}" for n in range(80)]])
async def test_a_head_has_bounds(place: Place, lines: list[str]) -> None:
    """431, whether it is one long line or many, and whole or never ending."""
    head = "\r\n".join((f"GET {place.root}/small.m4s HTTP/1.1", "Host: x", *lines * 2)).encode()
    for sent in (head[:72_000] + b"\r\n\r\n", head):
        assert (await place.exchange(sent)).startswith(b"HTTP/1.1 431 ")


async def test_a_body_has_bounds(place: Place) -> None:
    """413; and a body that nobody wants is not taken for the next request."""
    body = b"x" * (reading.BODY_BYTES + 1)
    head = f"POST {place.root}/small.m4s HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert (await place.exchange(head + body)).startswith(b"HTTP/1.1 413 ")
    inner = place.request("small.m4s")
    kept = f"GET {place.root}/none.m4s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(inner)}\r\n\r\n"
    answer = await place.exchange(kept.encode() + inner)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_who_waits_with_its_body_is_told_to_go_on(place: Place) -> None:
    """Expect: 100-continue, as some clients send it with a licence request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    lines = "Host: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    writer.write(f"POST {place.root}/small.m4s HTTP/1.1\r\n{lines}".encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"abc")
    assert (await one_answer(reader))[0] == 405
    writer.close()


async def test_nothing_is_upgraded(place: Place) -> None:
    """A wish for another protocol is passed over, and the connection ends after the answer."""
    lines = ("Host: x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA")
    answer = await place.exchange(place.request("small.m4s", *lines))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(SMALL)


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/api/v1/me", "/login", "/metrics", "/o/videos/a/b/c.m4s", "*", "/S/x/y"]
)
async def test_there_is_nothing_else_here(place: Place, path: str) -> None:
    """404 for everything that is not below `/s/`, and no count."""
    answer = await place.exchange(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'"code": "not_found"' in answer
    assert place.measures.delivered == 0


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


async def test_who_takes_nothing_for_long_is_cut_off(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is who sends half a head, and who keeps a connection without a use; a client that goes on is not."""
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.2)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(listener, "LOOK_SECONDS", 0.05)
    port = place.port
    async with a_place(place.folder / "other") as quick:
        port = quick.port
        streams = [await asyncio.open_connection("127.0.0.1", port, limit=1024) for _ in range(3)]
        for (_, writer), sent in zip(streams, (quick.request("large.m4s"), b"GET /s/ HT", b""), strict=True):
            writer.write(sent)
        for reader, writer in streams[1:]:
            assert await reader.read() == b""
            writer.close()
        reader, writer = streams[0]
        taken = bytearray()
        with pytest.raises(asyncio.IncompleteReadError):
            await asyncio.sleep(1)
            taken += await reader.readexactly(len(LARGE))
        writer.close()


async def test_who_hangs_up_leaves_nothing_behind(place: Place) -> None:
    """No open file, no connection: in the middle of an answer, of a head, and before either."""
    before = len(os.listdir("/proc/self/fd"))
    for sent in (place.request("large.m4s"), place.request("large.m4s") * 3, place.request("small.m4s")[:20], b""):
        for linger in (False, True):
            client = socket.create_connection(("127.0.0.1", place.port))
            client.sendall(sent)
            await asyncio.sleep(0.02)
            if linger:  # a reset instead of an end
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
    await until(lambda: len(os.listdir("/proc/self/fd")) == before)
    assert (await place.exchange(place.request("small.m4s", "Host: x", "Connection: close"))).endswith(SMALL)


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
    """They are served as soon as one has gone."""
    monkeypatch.setattr(listener, "CONNECTIONS", 2)
    async with a_place(tmp_path) as place:
        streams = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(4)]
        for _, writer in streams:
            writer.write(place.request("small.m4s"))
        for reader, writer in streams:
            assert (await one_answer(reader))[2] == SMALL
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
