"""tus expiration (1.0.0, "Expiration"), and room on the disk."""

from __future__ import annotations

import shutil
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from streamhost.testing.house import open_house
from tests.support.catalogs import instance_at
from tests.support.tus import PATH, TYPE, VERSION

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


async def test_a_part_that_has_expired_is_not_joined(tmp_path: Path) -> None:
    """410, whether it has been swept away already or not; the others can be joined without it."""
    clock = Standing()
    instance_at(tmp_path / "data")
    async with open_house(tmp_path / "data", clock=clock, uploads__expire_hours=SHORT / 3600) as house:
        alice = await house.sign_in("alice") | VERSION
        part = alice | TYPE | {"Upload-Length": "3", "Upload-Concat": "partial"}
        parts = [(await house.client.post(PATH, headers=part, content=b"abc")).headers["location"]]
        clock.now += SHORT * 0.9
        parts.append((await house.client.post(PATH, headers=part, content=b"def")).headers["location"])
        clock.now += SHORT * 0.5
        joined = alice | {"Upload-Concat": "final;" + " ".join(parts)}
        answer = await house.client.post(PATH, headers=joined)
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")
        assert (await house.client.head(parts[1], headers=alice)).status_code == 200
        alone = alice | {"Upload-Concat": f"final;{parts[1]}"}
        assert (await house.client.post(PATH, headers=alone)).status_code == 201


async def test_room_is_promised_only_once(tmp_path: Path) -> None:
    """507 when too little is left beside what stays free and what others were promised, until they give it back."""
    instance_at(tmp_path / "data")
    # Others use this disk too: what is spare is so much that what they take or give back meanwhile does not matter.
    keep = spare = shutil.disk_usage(tmp_path).free // 2
    async with open_house(tmp_path / "data", uploads__keep_free=keep) as house:
        alice = await house.sign_in("alice") | VERSION
        large = alice | {"Upload-Length": str(spare * 6 // 10)}
        first = await house.client.post(PATH, headers=large)
        assert first.status_code == 201
        refused = await house.client.post(PATH, headers=large)
        assert (refused.status_code, refused.json()["code"]) == (507, "no_room")
        assert (await house.client.delete(first.headers["location"], headers=alice)).status_code == 204
        assert (await house.client.post(PATH, headers=large)).status_code == 201


async def test_a_full_disk_takes_nothing(tmp_path: Path) -> None:
    """507 for uploads of known and unknown length, and for whole files."""
    instance_at(tmp_path / "data")
    async with open_house(tmp_path / "data", uploads__keep_free=10**17) as house:
        alice = await house.sign_in("alice")
        for said in ({"Upload-Length": "1"}, {"Upload-Defer-Length": "1"}):
            assert (await house.client.post(PATH, headers=alice | VERSION | said)).status_code == 507
        answer = await house.client.post("/api/v1/upload", files={"file": ("a.mp4", b"x")}, headers=alice)
        assert (answer.status_code, answer.json()["code"]) == (507, "no_room")
