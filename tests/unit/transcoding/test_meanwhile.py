"""What somebody edits while a file is looked into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streamhost.media import tasks
from streamhost.model.accounts import Viewer
from streamhost.model.videos import ChapterMark, Protection, VideoState
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
