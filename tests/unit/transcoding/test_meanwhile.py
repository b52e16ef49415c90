"""What somebody edits while a file is looked into."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import replacements
from streamhost.media import tasks
from streamhost.model.accounts import Viewer
from streamhost.model.videos import ChapterMark, Protection, VideoState
from tests.support.clips import small_clip
from tests.support.films import film
from tests.support.house import a_house
from tests.support.waiting import until


async def test_what_is_edited_while_a_file_is_looked_into_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chapters that are written then stand in place of those of the file; protection chosen then is what it gets."""
    async with a_house(tmp_path / "data") as house:
        owner = await house.host.accounts.people.by_email("alice@example.org")
        run = house.host.transcoding._run
        edited = {"chapters": [{"start": 0.5, "title": "Written meanwhile"}], "protection": "cbcs"}

        async def edits_first(task: Any, *more: Any) -> Any:
            if isinstance(task, tasks.Probe):
                mine = (await house.host.catalog.owned(owner.id)).items
                await house.host.catalog.edit(mine[0].id, Viewer(owner), edited)
            return await run(task, *more)

        monkeypatch.setattr(house.host.transcoding, "_run", edits_first)
        async with house.client() as client:
            with film(tmp_path).open("rb") as file:
                sent = await client.post("/api/v1/upload", headers=await house.bearer("alice"), files={"file": file})
        assert sent.status_code == 202, sent.text

        async def looked_into() -> bool:
            (video,) = (await house.host.catalog.owned(owner.id)).items
            return video.state is not VideoState.RECEIVED

        await until(looked_into)
        (video,) = (await house.host.catalog.owned(owner.id)).items
        assert video.chapters == (ChapterMark(0.5, "Written meanwhile"),)
        assert video.protection is Protection.CBCS
        async with house.host.db.read() as conn:
            packages = await conn.fetch_all("SELECT protection FROM packages", {})
        assert [row["protection"] for row in packages] == ["cbcs"]


async def test_a_newer_file_ends_the_making_of_an_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on the earlier one is told to stop, what it still says changes nothing, and the newer one is what plays."""
    async with a_house(tmp_path / "data") as house:
        video = await house.video()
        run = house.host.transcoding._run
        first: list[str] = []
        ended = asyncio.Event()

        async def holds_the_first(task: Any, *more: Any) -> Any:
            if not isinstance(task, tasks.CopyTracks | tasks.MakePlan) or (first and task.source != first[0]):
                return await run(task, *more)
            first.append(task.source)
            try:
                return await asyncio.Event().wait()
            finally:
                ended.set()

        async def send(name: str) -> None:
            async with house.client() as client:
                files = {"file": (name, small_clip().read_bytes())}
                path = f"/api/v1/videos/{video.id}/source"
                sent = await client.post(path, headers=await house.bearer("alice"), files=files)
            assert sent.status_code == 202, sent.text

        monkeypatch.setattr(house.host.transcoding, "_run", holds_the_first)
        await send("first.mp4")
        await until(lambda: bool(first))
        async with house.host.db.read() as conn:
            before = await replacements.get(conn, video.id)
        assert before is not None
        assert before.package_id is not None
        await send("second.mp4")
        async with house.host.db.write() as conn:
            await replacements.progress(conn, before.package_id, 0.9, "of the first")
            new = await replacements.get(conn, video.id)
        assert new is None or (new.source_name == "second.mp4" and new.step != "of the first")
        await asyncio.wait_for(ended.wait(), 150)
        await house.host.worker.idle()
        now = await house.host.catalog.known(video.id)
        assert now is not None
        assert (now.source_name, now.replacement, now.state) == ("second.mp4", None, VideoState.READY)
