"""tus HEAD: where an upload stands (1.0.0, "HEAD")."""

from __future__ import annotations

import pytest

from tests.support.server import Api, RunningServer
from tests.support.tus import PATH, VERSION, append, begin, content, status, words


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def test_it_answers_offset_length_and_no_store(alice: Api) -> None:
    """The headers that the protocol demands, and that no cache may keep them."""
    address = begin(alice, 10)
    append(alice, address, 0, b"abc")
    answer = status(alice, address)
    assert answer.status_code == 200
    assert (answer.headers["upload-offset"], answer.headers["upload-length"]) == ("3", "10")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert "upload-defer-length" not in answer.headers
    assert not answer.content


def test_metadata_comes_back_exactly_as_sent(alice: Api) -> None:
    """Also keys and values that mean nothing here, in the client's order and spelling."""
    header = "zeta AAECAw==,filename YS5tcDQ=,empty ,is_ok"
    address = begin(alice, 10, **{"Upload-Metadata": header})
    assert status(alice, address).headers["upload-metadata"] == header
    assert "upload-metadata" not in status(alice, begin(alice, 10)).headers


def test_an_unknown_length_is_said_to_be_unknown(alice: Api) -> None:
    """`Upload-Defer-Length: 1` until the length is known, then `Upload-Length`."""
    address = begin(alice, None)
    assert status(alice, address).headers["upload-defer-length"] == "1"
    append(alice, address, 0, b"abc", **{"Upload-Length": "6"})
    answer = status(alice, address)
    assert answer.headers["upload-length"] == "6"
    assert "upload-defer-length" not in answer.headers


def test_unknown_and_foreign_uploads_are_the_same(alice: Api, site: RunningServer) -> None:
    """404 without an offset, whether it never was, has no possible name, or is somebody else's, even for admins."""
    address = begin(alice, 10)
    root = site.client("root@example.org")
    for answer in (
        status(root, address),
        status(alice, f"{PATH}/doesNotExist00"),
        status(alice, f"{PATH}/..%2f..%2fcatalog"),
        status(alice, f"{PATH}/{'a' * 200}"),
    ):
        assert answer.status_code == 404
        assert "upload-offset" not in answer.headers


def test_a_lost_answer_to_the_last_byte_is_found_again(alice: Api) -> None:
    """A complete upload answers its length as offset, and the video that it became."""
    data = content(50)
    address = begin(alice, 50, **words(title="Found again"))
    first = append(alice, address, 0, data).headers["streamhost-video"]
    answer = status(alice, address)
    assert answer.headers["upload-offset"] == answer.headers["upload-length"] == "50"
    assert answer.headers["streamhost-video"] == first
    assert alice.video(first)["title"] == "Found again"


def test_the_version_is_asked_for(alice: Api) -> None:
    """412 without `Tus-Resumable`."""
    answer = alice.head(begin(alice, 10))
    assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")


def test_an_upload_cannot_be_downloaded(alice: Api) -> None:
    """What has come in is not served back to anybody."""
    address = begin(alice, 10)
    append(alice, address, 0, b"abc")
    assert alice.get(address, headers=VERSION).status_code == 405
