"""tus expiration (1.0.0, "Expiration"), and room on the disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from streamhost.testing.house import open_house
from tests.support.catalogs import instance_at
from tests.support.server import Api, RunningServer
from tests.support.tus import PATH, TYPE, VERSION, begin

SHORT = 60.0
"""Seconds that an upload lives in the house of these tests."""


class Standing:
    """A clock that stands until the test moves it, however long requests take."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        """What it shows."""
        return self.now


async def test_an_upload_lives_until_the_time_it_was_given(tmp_path: Path) -> None:
    """Every byte moves the end on; after it 410 to everything."""
    clock = Standing()
    instance_at(tmp_path / "data")
    async with open_house(tmp_path / "data", clock=clock, uploads__expire_hours=SHORT / 3600) as house:
        alice = await house.sign_in("alice") | VERSION
        made = await house.client.post(PATH, headers=alice | {"Upload-Length": "10"})
        address = made.headers["location"]

        async def append(position: int) -> httpx.Response:
            return await house.client.patch(
                address, headers=alice | TYPE | {"Upload-Offset": str(position)}, content=b"x"
            )

        expires = []
        for position in range(3):
            clock.now += SHORT * 0.9
            answer = await append(position)
            assert answer.status_code == 204
            expires.append(parsedate_to_datetime(answer.headers["upload-expires"]))
        assert expires[0] < expires[1] < expires[2]
        clock.now += SHORT + 1
        assert (await house.client.head(address, headers=alice)).status_code == 410
        assert (await append(3)).status_code == 410
        assert (await house.client.delete(address, headers=alice)).status_code == 410


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
