"""tus PATCH: adding bytes (1.0.0, "PATCH")."""

from __future__ import annotations

import hashlib
import time

import pytest

from tests.support.server import Api, RunningServer
from tests.support.tree import rows
from tests.support.tus import TYPE, VERSION, Line, append, begin, content, offset, status


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def stored_sha256(site: RunningServer, video_id: str) -> str:
    """The digest of what lies in storage, after checking that the catalog says the same."""
    [row] = rows(site.data, "SELECT source_key, source_sha256 FROM videos WHERE id = ?", video_id)
    digest = hashlib.sha256((site.data / "media" / row["source_key"]).read_bytes()).hexdigest()
    assert row["source_sha256"] == digest
    return digest


def test_bytes_arrive_in_as_many_requests_as_one_likes(alice: Api, site: RunningServer) -> None:
    """Each answer has the new offset and the time of expiry, the last one the video, and the file is the file."""
    data = content(100_000)
    address, position = begin(alice, len(data)), 0
    for size in (1, 0, 4095, 60_000, 35_904):
        answer = append(alice, address, position, data[position : position + size])
        position += size
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(position))
        assert ("upload-expires" in answer.headers) is (position < len(data))
    assert stored_sha256(site, answer.headers["streamhost-video"]) == hashlib.sha256(data).hexdigest()


def test_another_offset_is_a_conflict(alice: Api) -> None:
    """409 with the true offset, and nothing is changed, for offsets before and after it."""
    address = begin(alice, 10)
    append(alice, address, 0, b"abcd")
    for wrong in (0, 3, 5, 10, 11):
        answer = append(alice, address, wrong, b"x")
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "4")
    assert offset(alice, address) == 4


def test_the_type_is_asked_for(alice: Api) -> None:
    """415 for any content type but the protocol's."""
    address = begin(alice, 10)
    for kind in ("application/octet-stream", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert append(alice, address, 0, b"abc", **{"Content-Type": kind}).status_code == 415
    assert append(alice, address, 0, b"abc", **{"Content-Type": TYPE["Content-Type"] + "; x=y"}).status_code == 204


@pytest.mark.parametrize("value", ["", "-1", "a", "0x1", "1.0"])
def test_a_malformed_offset_is_refused(alice: Api, value: str) -> None:
    """400 where the offset is no number, or is missing."""
    address = begin(alice, 10)
    assert append(alice, address, 0, b"abc", **{"Upload-Offset": value}).status_code == 400
    assert alice.patch(address, headers=VERSION | TYPE, content=b"abc").status_code == 400


def test_more_than_was_announced_is_refused(alice: Api) -> None:
    """413 for a request that would go beyond the length, whether it says so or not; the upload stays as it was."""
    address = begin(alice, 10)
    append(alice, address, 0, b"abcd")
    assert append(alice, address, 4, b"1234567").status_code == 413
    assert Line(alice).patch(address, 4, None).send(b"7\r\n1234567\r\n0\r\n\r\n").status() == 413
    assert offset(alice, address) == 4


def test_a_body_without_length_is_taken(alice: Api) -> None:
    """Chunked requests are as good as others."""
    address = begin(alice, 6)
    assert Line(alice).patch(address, 0, None).send(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n").status() == 204
    assert status(alice, address).headers["upload-offset"] == "6"


def test_a_complete_upload_takes_nothing_more(alice: Api) -> None:
    """413 for more bytes; an empty request at the end is harmless and answers the video again."""
    address = begin(alice, 3)
    video = append(alice, address, 0, b"abc").headers["streamhost-video"]
    again = append(alice, address, 3, b"")
    assert (again.status_code, again.headers["streamhost-video"]) == (204, video)
    assert append(alice, address, 3, b"d").status_code == 413
    assert append(alice, address, 0, b"abc").status_code == 409


def test_the_length_may_come_with_any_request_but_only_once(alice: Api) -> None:
    """Creation with deferred length: said once, never changed, never below what has come."""
    address = begin(alice, None)
    append(alice, address, 0, b"abcd")
    assert append(alice, address, 4, b"", **{"Upload-Length": "3"}).status_code == 400
    assert append(alice, address, 4, b"ef", **{"Upload-Length": "8"}).status_code == 204
    assert append(alice, address, 6, b"", **{"Upload-Length": "9"}).status_code == 400
    assert append(alice, address, 6, b"gh", **{"Upload-Length": "8"}).headers["streamhost-video"]


def test_the_length_alone_can_complete_an_upload(alice: Api) -> None:
    """A client that learns at the end that there was nothing more says so with an empty request."""
    address = begin(alice, None)
    append(alice, address, 0, b"abcd")
    answer = append(alice, address, 4, b"", **{"Upload-Length": "4"})
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "4")
    assert answer.headers["streamhost-video"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_connection_that_breaks_keeps_what_arrived(alice: Api, site: RunningServer, chunked: bool) -> None:
    """What was sent before the break is found by HEAD, to the byte, and the rest completes the file."""
    data = content(300_000)
    address = begin(alice, len(data))
    line = Line(alice).patch(address, 0, None if chunked else len(data))
    line.send(b"1e240\r\n" + data[:123_456] if chunked else data[:123_456])
    line.taken(site.data, address, 123_456).cut()
    deadline = time.monotonic() + 150
    while (position := offset(alice, address)) < 123_456 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert position == 123_456
    video = append(alice, address, position, data[position:]).headers["streamhost-video"]
    assert stored_sha256(site, video) == hashlib.sha256(data).hexdigest()


def test_a_stale_request_is_asked_to_let_go(alice: Api, site: RunningServer) -> None:
    """A client whose old connection still hangs resumes at once: HEAD ends the old request, whose bytes count."""
    data = content(200_000)
    address = begin(alice, len(data))
    stale = Line(alice).patch(address, 0, len(data)).send(data[:70_000])
    stale.taken(site.data, address, 70_000)
    assert offset(alice, address) == 70_000
    answer = stale.answer()
    assert b" 409 " in answer.split(b"\r\n")[0]
    assert b"upload-offset: 70000" in answer.lower()
    video = append(alice, address, 70_000, data[70_000:]).headers["streamhost-video"]
    assert stored_sha256(site, video) == hashlib.sha256(data).hexdigest()


def test_two_that_push_at_once_never_mix_their_bytes(alice: Api, site: RunningServer) -> None:
    """Of two requests for the same offset the first one wins, though it is asked to let go; the file holds the bytes of
    one upload, each once."""
    data = content(400_000)
    address = begin(alice, len(data))
    first = Line(alice).patch(address, 0, len(data)).send(data[:1000]).taken(site.data, address, 1000)
    assert Line(alice).patch(address, 0, 2000).send(data[:2000]).status() == 409
    assert first.status() == 409
    assert offset(alice, address) == 1000
    video = append(alice, address, 1000, data[1000:]).headers["streamhost-video"]
    assert stored_sha256(site, video) == hashlib.sha256(data).hexdigest()


def test_slow_clients_hold_up_nobody(alice: Api) -> None:
    """Fifty connections that send a byte and then nothing: another upload goes through as if they were not there."""
    slow = [Line(alice).patch(begin(alice, 100), 0, 100).send(b"x") for _ in range(50)]
    begun = time.monotonic()
    assert append(alice, begin(alice, 1_000_000), 0, content(1_000_000)).status_code == 204
    assert time.monotonic() - begun < 30, "as long as one of them is borne"
    for line in slow:
        line.cut()


def test_others_may_not_add(alice: Api, site: RunningServer) -> None:
    """404 for anybody but the owner."""
    address = begin(alice, 10)
    assert append(site.client("root@example.org"), address, 0, b"abc").status_code == 404
    assert offset(alice, address) == 0
