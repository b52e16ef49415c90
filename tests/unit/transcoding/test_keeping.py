"""How long uploaded files are kept, and what the sweep removes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streamhost.db import packages, videos
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding.keeping import GIVEN_UP_KEPT, Keeping
from streamhost.jobs.queue import Queue
from streamhost.model import keeping
from streamhost.model.clock import DAY
from streamhost.model.ids import PackageId, UserId, VideoId
from streamhost.model.tasks import SweepMedia
from streamhost.model.videos import Video, VideoState
from tests.support.catalogs import blank

NOW = 1_000 * DAY


class Ended:
    """A job whose end is nobody's business here."""

    async def complete(self, _conn: Connection) -> None:
        """Nothing to do."""


def test_rules_mean_what_they_say() -> None:
    """Never, at once, so many days later; nothing else is a rule."""
    assert keeping.due("always", 5.0) is None
    assert keeping.due("until-ready", 5.0) == 5.0
    assert keeping.due("days:3", 5.0) == 5.0 + 3 * DAY
    for wrong in ("", "never", "days:", "days:0", "days:-1", "days:1.5", "days:100000", "true"):
        with pytest.raises(ValueError, match="One of"):
            keeping.keep_source(wrong)


async def add(conn: Connection, name: str, rule: str | None, *, age: float, **package: Any) -> None:
    """A video whose package was finished `age` seconds ago."""
    video_id, package_id = VideoId(name.ljust(16, "x")), PackageId(name.ljust(16, "p"))
    await videos.insert(
        conn,
        Video(
            video_id,
            UserId("alice"),
            name,
            NOW,
            NOW,
            state=VideoState.READY,
            source_key=f"videos/{video_id}/source/source.mp4",
            package_id=package_id if not package else None,
            keep_source=rule,
        ),
    )
    row = {"finished_at": NOW - age} | package
    await packages.insert(conn, packages.PackageRow(package_id, video_id, "ready", "{}", NOW, **row))


async def catalog(folder: Path) -> tuple[Database, Queue]:
    """A catalog with alice in it, and its queue."""
    db = await Database.open(blank(folder))
    async with db.write() as conn:
        await conn.execute(
            "INSERT INTO users (id, email, email_key, name, role, password_hash, created_at) "
            "VALUES ('alice', 'a@example.org', 'a@example.org', 'Alice', 'creator', '', 0)"
        )
    return db, Queue(lambda: NOW)


async def test_a_file_goes_when_its_video_is_ready_unless_the_video_says_otherwise(tmp_path: Path) -> None:
    """Where the site keeps nothing, a video with a rule of its own keeps its file, and the other way round."""
    db, queue = await catalog(tmp_path)
    for rule, keeps in (("until-ready", {"days", "always"}), ("always", {"any", "days", "always"})):
        async with db.write() as conn:
            await conn.execute("DELETE FROM videos")
            for name, own in (("any", None), ("always", "always"), ("days", "days:1"), ("never", "until-ready")):
                await add(conn, name, own, age=0)
                await Keeping(db, queue, lambda: NOW, rule).ready(conn, VideoId(name.ljust(16, "x")))
            left = await conn.fetch_all("SELECT title FROM videos WHERE source_key IS NOT NULL")
            gone = {job.payload["prefix"] for job in await queue.list(conn)}
        assert {row["title"] for row in left} == keeps
        assert f"videos/{'never'.ljust(16, 'x')}/source/" in gone
    assert gone == {f"videos/{name.ljust(16, 'x')}/source/" for name in ("any", "never")}
    await db.close()


async def test_the_sweep_removes_what_is_past_its_time_and_nothing_else(tmp_path: Path) -> None:
    """Site: ten days. Older files go, younger stay; a video's own rule beats the site's; work that was given up goes
    after some days."""
    db, queue = await catalog(tmp_path)
    async with db.write() as conn:
        await add(conn, "old", None, age=11 * DAY)
        await add(conn, "young", None, age=9 * DAY)
        await add(conn, "precious", "always", age=1000 * DAY)
        await add(conn, "fleeting", "days:1", age=2 * DAY)
        await add(conn, "broken", "always", age=0, finished_at=None, given_up_at=NOW - GIVEN_UP_KEPT - 1)
        await add(conn, "resting", "always", age=0, finished_at=None, given_up_at=NOW - GIVEN_UP_KEPT + 1)
    await Keeping(db, queue, lambda: NOW, "days:10").sweep(SweepMedia(), Ended())  # type: ignore[arg-type]
    async with db.read() as conn:
        rows = await conn.fetch_all("SELECT title, source_key FROM videos")
        assert {row["title"] for row in rows if row["source_key"] is None} == {"old", "fleeting"}
        left = await conn.fetch_all("SELECT id FROM packages WHERE given_up_at IS NOT NULL")
        assert [row["id"] for row in left] == ["resting".ljust(16, "p")]
        prefixes = {job.payload["prefix"] for job in await queue.list(conn)}
    assert prefixes == {
        f"videos/{'old'.ljust(16, 'x')}/source/",
        f"videos/{'fleeting'.ljust(16, 'x')}/source/",
        f"videos/{'broken'.ljust(16, 'x')}/{'broken'.ljust(16, 'p')}/",
        f"stills/{'broken'.ljust(16, 'x')}/{'broken'.ljust(16, 'p')}/",
    }
    await db.close()
