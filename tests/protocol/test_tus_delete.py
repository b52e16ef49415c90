"""tus DELETE: ending uploads (1.0.0, "Termination"), and methods in disguise."""

from __future__ import annotations

import time

import pytest

from tests.support.server import Api, RunningServer
from tests.support.tus import PATH, TYPE, VERSION, Line, append, begin, status


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def spooled(site: RunningServer, address: str) -> bool:
    return (site.data / "uploads" / address.rpartition("/")[2]).exists()


def test_an_ended_upload_is_gone(alice: Api, site: RunningServer) -> None:
    """204, then 404 to everything, and no byte stays on the disk."""
    address = begin(alice, 10)
    append(alice, address, 0, b"abc")
    assert spooled(site, address)
    answer = alice.delete(address, headers=VERSION)
    assert (answer.status_code, answer.headers["tus-resumable"]) == (204, "1.0.0")
    assert not spooled(site, address)
    assert status(alice, address).status_code == 404
    assert append(alice, address, 3, b"d").status_code == 404
    assert alice.delete(address, headers=VERSION).status_code == 404


def test_an_upload_can_be_ended_while_bytes_come(alice: Api, site: RunningServer) -> None:
    """The request that adds is asked to let go; then the upload ends."""
    address = begin(alice, 1000)
    line = Line(alice).patch(address, 0, 1000).send(b"abc")
    time.sleep(0.2)
    assert alice.delete(address, headers=VERSION).status_code == 204
    assert line.status() in (404, 409)
    assert not spooled(site, address)


def test_a_video_outlives_its_upload(alice: Api) -> None:
    """Ending an upload that became a video forgets the upload, not the video."""
    address = begin(alice, 3)
    video = append(alice, address, 0, b"abc").headers["streamhost-video"]
    assert alice.delete(address, headers=VERSION).status_code == 204
    assert status(alice, address).status_code == 404
    assert alice.video(video)["id"] == video


def test_only_the_owner_may_end_it(alice: Api, site: RunningServer) -> None:
    """404 for anybody else, and the upload stays."""
    address = begin(alice, 3)
    assert site.client("root@example.org").delete(address, headers=VERSION).status_code == 404
    assert status(alice, address).status_code == 200
    assert alice.delete(address).status_code == 412


def test_methods_may_come_in_disguise(alice: Api) -> None:
    """`X-HTTP-Method-Override` on POST stands for PATCH, HEAD and DELETE."""
    address = begin(alice, 6)
    headers = VERSION | TYPE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    answer = alice.post(address, headers=headers, content=b"abc")
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "3")
    answer = alice.post(address, headers=VERSION | {"X-HTTP-Method-Override": "HEAD"})
    assert (answer.status_code, answer.headers["upload-offset"]) == (200, "3")
    assert alice.post(address, headers=VERSION | {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert status(alice, address).status_code == 404


def test_harmless_methods_are_never_disguises(alice: Api) -> None:
    """A HEAD that claims to be DELETE stays a HEAD, for browsers send such requests without asking anybody."""
    address = begin(alice, 6)
    alice.head(address, headers=VERSION | {"X-HTTP-Method-Override": "DELETE"})
    assert status(alice, address).status_code == 200
    assert alice.post(address, headers=VERSION).status_code == 405
    assert alice.post(address, headers=VERSION | {"X-HTTP-Method-Override": "PUT"}).status_code == 405
    assert alice.put(PATH, headers=VERSION).status_code == 405
