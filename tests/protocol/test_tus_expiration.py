"""tus expiration (1.0.0, "Expiration"), and room on the disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest

from tests.support.server import Api, RunningServer
from tests.support.tus import PATH, VERSION, append, begin, status

SHORT = 4.0
"""Seconds that an upload lives on the server of these tests."""


@pytest.fixture(scope="module")
def server_of_short_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {"STREAMHOST_UPLOADS_EXPIRE_HOURS": str(SHORT / 3600)}
    running = RunningServer(tmp_path_factory.mktemp("short") / "data", **settings).start()
    running.add_user("alice@example.org")
    yield running
    running.stop()


def test_an_upload_lives_until_the_time_it_was_given(server_of_short_memory: RunningServer) -> None:
    """Every byte moves the end on; after it 410 to everything, also to joining."""
    alice = server_of_short_memory.client("alice@example.org")
    address = begin(alice, 10)
    expires = []
    for position in range(3):
        time.sleep(SHORT / 2)
        answer = append(alice, address, position, b"x")
        assert answer.status_code == 204
        expires.append(parsedate_to_datetime(answer.headers["upload-expires"]))
    assert expires[0] < expires[2]
    time.sleep(SHORT + 0.2)
    assert status(alice, address).status_code == 410
    assert append(alice, address, 3, b"x").status_code == 410
    assert alice.delete(address, headers=VERSION).status_code == 410


def test_room_is_promised_only_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """507 when too little is left beside what stays free and what others were promised, until they give it back."""
    folder = tmp_path_factory.mktemp("room")
    # Others use this disk too: what is spare is so much that what they take or give back meanwhile does not matter.
    keep = spare = shutil.disk_usage(folder).free // 2
    running = RunningServer(folder / "data", STREAMHOST_UPLOADS_KEEP_FREE=str(keep)).start()
    try:
        running.add_user("alice@example.org")
        alice = running.client("alice@example.org")
        first = begin(alice, spare * 6 // 10)
        refused = alice.post(PATH, headers=VERSION | {"Upload-Length": str(spare * 6 // 10)})
        assert (refused.status_code, refused.json()["code"]) == (507, "no_room")
        assert alice.delete(first, headers=VERSION).status_code == 204
        begin(alice, spare * 6 // 10)
    finally:
        running.stop()


@pytest.fixture
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server on a disk that has nothing to give."""
    running = RunningServer(tmp_path_factory.mktemp("full") / "data", STREAMHOST_UPLOADS_KEEP_FREE=str(10**17)).start()
    running.add_user("alice@example.org")
    yield running.client("alice@example.org")
    running.stop()


def test_a_full_disk_takes_nothing(full: Api) -> None:
    """507 for uploads of known and unknown length, and for whole files."""
    assert full.post(PATH, headers=VERSION | {"Upload-Length": "1"}).status_code == 507
    assert full.post(PATH, headers=VERSION | {"Upload-Defer-Length": "1"}).status_code == 507
    answer = full.post("/api/v1/upload", files={"file": ("a.mp4", b"x")})
    assert (answer.status_code, answer.json()["code"]) == (507, "no_room")
