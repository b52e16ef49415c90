"""What counts as a request on the port for media, how large it may be, and in which order answers come."""

from __future__ import annotations

import asyncio

import pytest

from streamhost.server.straight import connection, reading
from tests.support.media_port import LARGE, SMALL, Place, one_answer


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


CHUNKED = "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (f"Host: x\r\nContent-Length: {reading.BODY_BYTES + 1}\r\n\r\n", b"x" * (reading.BODY_BYTES + 1)),
        (CHUNKED, b"1\r\nx\r\n" * (reading.BODY_BYTES + 1)),
        (CHUNKED, b"1;" + b"a" * 2 * reading.FRAMED_BYTES),
        (CHUNKED, b"0\r\nA: " + b"a" * 2 * reading.FRAMED_BYTES),
        (CHUNKED, b"0\r\n" + b"A: a\r\n" * reading.FRAMED_BYTES),
    ],
    ids=["known", "tiny chunks", "an extension", "a trailer", "trailers"],
)
async def test_a_body_has_bounds(place: Place, framing: str, body: bytes) -> None:
    """413, however the bytes are wrapped that nobody wants."""
    answer = await place.exchange(f"POST {place.root}/small.m4s HTTP/1.1\r\n{framing}".encode() + body)
    assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))


async def test_a_body_is_no_request(place: Place) -> None:
    """What stands in the body of a request that wants none is not answered."""
    inner = place.request("small.m4s")
    head = f"GET {place.root}/none.m4s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(inner)}\r\n\r\n"
    answer = await place.exchange(head.encode() + inner)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("word", ["100-continue", "100-Continue "])
async def test_who_waits_with_its_body_is_told_to_go_on(place: Place, word: str) -> None:
    """Expect: 100-continue, as some clients send it with a licence request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    lines = f"Host: x\r\nContent-Length: 3\r\nExpect: {word}\r\n\r\n"
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


async def test_many_requests_at_once_leave_others_their_turn(place: Place) -> None:
    """More than are answered in one turn, in order all the same."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    count = 10 * connection.TURN_ANSWERS
    writer.write(b"".join(place.request("small.m4s", "Host: x", f"Range: bytes={n}-{n}") for n in range(count)))
    for n in range(count):
        status, headers, body = await one_answer(reader)
        assert (status, headers["content-range"], body) == (206, f"bytes {n}-{n}/1000", SMALL[n : n + 1])
    writer.close()
