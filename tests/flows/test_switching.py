"""Another protection for a finished video: nothing stops playing, nothing is lost, and a failure changes nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.db import packages, videos
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import JobCancelled
from streamhost.model.events import ProtectionChanged
from streamhost.model.ids import VideoId
from streamhost.model.tasks import AnnounceEvent, RepackageVideo, RetirePackage
from streamhost.model.videos import Protection, Video, package_prefix
from streamhost.testing.clips import Clip
from tests.support.clips import cached
from tests.support.house import House, a_house
from tests.support.waiting import until

CLIP = Clip(seconds=6, width=320, height=180, gop=50)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house that makes two small qualities."""
    short = {"media__preset": "ultrafast", "media__segment_seconds": 2.0, "media__heights": [120]}
    async with a_house(tmp_path / "data", **short) as running:
        yield running


class Film:
    """A video of alice's as it is seen through the API."""

    def __init__(self, house: House, client: httpx.AsyncClient, headers: dict[str, str], video_id: str) -> None:
        self.house, self.client, self.headers, self.id = house, client, headers, VideoId(video_id)

    @classmethod
    async def uploaded(cls, house: House, client: httpx.AsyncClient) -> Film:
        """A clear one that is ready."""
        headers = await house.bearer("alice")
        source = cached(CLIP, ".mp4")
        files = {"file": ("film.mp4", source.read_bytes())}
        answer = await client.post("/api/v1/upload", files=files, headers=headers)
        film = cls(house, client, headers, answer.json()["video"]["id"])
        await film.until(lambda document: document["state"] == "ready")
        return film

    async def document(self) -> dict[str, Any]:
        """The video."""
        answer: dict[str, Any] = (await self.client.get(f"/api/v1/videos/{self.id}", headers=self.headers)).json()
        return answer

    async def until(self, true: Any) -> dict[str, Any]:
        """Wait until something holds of the video."""
        document: dict[str, Any] = {}

        async def holds() -> bool:
            document.update(await self.document())
            return bool(true(document))

        await until(holds)
        return document

    async def stream(self) -> dict[str, Any]:
        """Where it plays now."""
        answer: dict[str, Any] = (await self.client.get(f"/api/v1/stream/{self.id}", headers=self.headers)).json()
        return answer

    async def protect(self, protection: str) -> httpx.Response:
        """Ask for another protection."""
        path = f"/api/v1/videos/{self.id}"
        return await self.client.patch(path, json={"protection": protection}, headers=self.headers)

    async def switched(self, protection: str) -> dict[str, Any]:
        """Another protection, in force."""
        assert (await self.protect(protection)).status_code == 200
        await self.until(lambda document: document["protection_in_use"] == protection)
        return await self.stream()

    async def keys(self, stream: dict[str, Any]) -> list[str]:
        """Where every file of the package that a stream names is stored."""
        return [stored.key async for stored in self.house.host.storage.list(package_prefix(self.id, stream["package"]))]

    async def files(self, stream: dict[str, Any]) -> dict[str, bytes]:
        """What these files hold, by their names within the package; nobody may be removing it."""
        prefix = package_prefix(self.id, stream["package"])
        storage = self.house.host.storage
        return {
            key.removeprefix(prefix): b"".join([piece async for piece in storage.read(key)])
            for key in await self.keys(stream)
        }

    async def row(self) -> Video:
        """The video in the catalog."""
        async with self.house.host.db.read() as conn:
            video = await videos.get(conn, self.id)
        assert video is not None
        return video


async def test_every_protection_in_turn(house: House) -> None:
    """From clear through all of them and back: each plays by its own rules, and the last is the first byte by byte."""
    async with house.client() as client:
        film = await Film.uploaded(house, client)
        clear = await film.stream()
        before = await film.files(clear)
        assert (clear["protection"], clear["license"]) == ("none", None)
        for protection in ("cenc", "cbcs", "aes-128", "none"):
            stream = await film.switched(protection)
            assert stream["protection"] == protection
            file = await house.host.moderation.desk.file(film.id)
            assert {one.package_id for one in file.history} == {stream["package"]}, "the same film"
            assert (await client.get(stream["hls"])).status_code == 200
            assert (stream["dash"] is None) == (protection == "aes-128")
            assert (stream["license"] is not None) == (protection in ("cenc", "cbcs"))
            assert (await client.get(stream["poster"])).content == before["poster.jpg"]
            async with house.host.db.read() as conn:
                told = [job.payload for job in await house.host.queue.list(conn, kind=AnnounceEvent.kind)]
            changed = [one["event"] for one in told if one["event_kind"] == ProtectionChanged.kind]
            assert protection in [one["protection"] for one in changed]
            now = await film.files(stream)
            media = {name for name in before if name.endswith((".m4s", ".jpg", ".vtt"))}
            assert media <= set(now), "names and times stay"
            if protection != "none":
                assert all(now[name] != before[name] for name in media if name.endswith(".m4s"))
                key = (await house.host.protections.local.of(stream["package"]))[0]
                got = await client.get(f"{stream['hls'].rpartition('/')[0]}/key/{key.kid}")
                assert got.content.hex() == key.key
        assert {name: now[name] for name in before if name.endswith((".m4s", ".mp4"))} == {
            name: before[name] for name in before if name.endswith((".m4s", ".mp4"))
        }


async def test_the_old_one_plays_until_its_grants_are_over(house: House) -> None:
    """With its keys; then it goes, files, rows and keys, and the one that plays stays."""
    async with house.client() as client:
        film = await Film.uploaded(house, client)
        first = await film.switched("cenc")
        second = await film.switched("cbcs")
        kid = (await house.host.protections.local.of(first["package"]))[0].kid
        old = first["hls"].rpartition("/")[0]
        segment = next(name for name in await film.files(first) if name.endswith(".m4s"))
        for path in (first["hls"], f"{old}/{segment}", f"{old}/key/{kid}"):
            assert (await client.get(path)).status_code == 200
        switching = house.host.transcoding.switching(60)
        async with house.host.db.read() as conn:
            jobs = await house.host.queue.list(conn)
        waiting = [job for job in jobs if job.kind == RetirePackage.kind]
        assert len(waiting) == 2
        assert all(job.run_at > time.time() + 200 * 60 for job in waiting)
        for stream in (first, second):
            task = RetirePackage(film.id, stream["package"])
            await switching.retire(task, JobContext(waiting[0], time.time))
        assert (await client.get(second["hls"])).status_code == 200
        assert await house.host.protections.local.of(first["package"]) == ()

        async def gone() -> bool:
            return not await film.keys(first)

        await until(gone)


async def test_a_switch_that_fails_changes_nothing(house: House) -> None:
    """The video plays on as it was, says so, and says why; another try works."""
    async with house.client() as client:
        film = await Film.uploaded(house, client)
        before = await film.stream()
        prefix = package_prefix(film.id, before["package"])
        names = [name for name in await film.files(before) if name.endswith(".m4s")]
        kept = b"".join([piece async for piece in house.host.storage.read(prefix + names[0])])
        await house.host.storage.put_bytes(prefix + names[0], b"damaged")
        assert (await film.protect("cenc")).json()["protection"] == "cenc"
        document = await film.until(lambda document: document["protection"] == "none")
        assert any("protection could not be changed" in note for note in document["notes"])
        after = await film.stream()
        assert (after["package"], after["protection"]) == (before["package"], "none")
        async with house.host.db.read() as conn:
            assert len(await packages.of_video(conn, film.id)) == 1
        await house.host.storage.put_bytes(prefix + names[0], kept)
        assert (await film.switched("cenc"))["protection"] == "cenc"


async def test_the_last_wish_counts(house: House) -> None:
    """A wish that is taken back before it is done leaves nothing behind; what was asked last is what is made."""
    async with house.client() as client:
        film = await Film.uploaded(house, client)
        first = await film.stream()
        for wish in ("cenc", "cbcs", "none", "aes-128"):
            assert (await film.protect(wish)).status_code == 200
        stream = await film.switched("aes-128")
        assert stream["package"] != first["package"]
        async with house.host.db.read() as conn:
            rows = await packages.of_video(conn, film.id)
        assert [row.protection for row in rows] == [Protection.NONE, Protection.AES_128]


async def test_a_job_that_is_done_again_does_no_harm(house: House) -> None:
    """Killed after its commit it is claimed again, and finds nothing to do; cancelled, it takes the wish back."""
    async with house.client() as client:
        film = await Film.uploaded(house, client)
        stream = await film.switched("cenc")
        switching = house.host.transcoding.switching(60)
        async with house.host.db.read() as conn:
            jobs = await house.host.queue.list(conn)
        job = next(job for job in jobs if job.kind == RepackageVideo.kind)
        files = await film.files(stream)
        await switching.repackage(RepackageVideo(film.id, stream["package"]), JobContext(job, time.time))
        async with house.host.db.write() as conn:
            await switching.gave_up(conn, job, JobCancelled())
        assert await film.files(stream) == files
        assert (await film.stream())["package"] == stream["package"]
        assert (await film.row()).protection is Protection.CENC
