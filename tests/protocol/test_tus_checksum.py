"""tus checksums (1.0.0, "Checksum"): all bytes of a request or none."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest

from tests.support.server import Api, RunningServer
from tests.support.tree import rows
from tests.support.tus import Line, append, begin, content, offset


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def checksum(algorithm: str, data: bytes) -> dict[str, str]:
    digest = hashlib.new(algorithm, data).digest()
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5"])
def test_bytes_that_fit_their_checksum_are_kept(alice: Api, algorithm: str) -> None:
    """Every algorithm that is announced works."""
    data = content(5000)
    address = begin(alice, 10_000)
    assert append(alice, address, 0, data, **checksum(algorithm, data)).status_code == 204
    assert offset(alice, address) == 5000


def test_bytes_that_do_not_fit_are_all_forgotten(alice: Api, site: RunningServer) -> None:
    """460, the offset is the old one, and the same request with the right bytes completes the file."""
    data = content(6_000_000)
    address = begin(alice, len(data))
    append(alice, address, 0, data[:1000])
    rest, wrong = data[1000:], content(len(data) - 1000, seed=2)
    answer = append(alice, address, 1000, wrong, **checksum("sha1", rest))
    assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    assert offset(alice, address) == 1000
    assert (site.data / "uploads" / address.rpartition("/")[2]).stat().st_size == 1000
    video = append(alice, address, 1000, rest, **checksum("sha1", rest)).headers["streamhost-video"]
    [row] = rows(site.data, "SELECT source_sha256 FROM videos WHERE id = ?", video)
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()


def test_half_of_a_checked_request_is_nothing(alice: Api) -> None:
    """When the connection breaks before the checksum can be compared, none of its bytes count."""
    data = content(50_000)
    address = begin(alice, 100_000)
    line = Line(alice).patch(address, 0, len(data), **checksum("sha256", data)).send(data[:30_000])
    time.sleep(0.2)
    line.cut()
    time.sleep(0.2)
    assert offset(alice, address) == 0


@pytest.mark.parametrize("header", ["crc64 AAAA", "sha1", "sha1 %%%", "SHA1 AAAA"])
def test_checksums_that_cannot_be_compared_are_refused(alice: Api, header: str) -> None:
    """400 for unknown algorithms and what is no checksum."""
    address = begin(alice, 10)
    assert append(alice, address, 0, b"abc", **{"Upload-Checksum": header}).status_code == 400
    assert offset(alice, address) == 0
