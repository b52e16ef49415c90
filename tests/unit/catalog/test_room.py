"""The catalog's room on a real database: edits at the same time, and places in lists that nobody gave out."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamhost.db import replacements, users, videos
from streamhost.db.core import Connection, Database
from streamhost.features.audit import Audit
from streamhost.features.catalog import Catalog, Trash
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Role, User, Viewer
from streamhost.model.audit import Act, Actor
from streamhost.model.cursors import InvalidCursor
from streamhost.model.ids import UserId, VideoId
from streamhost.model.videos import Replacement, Video, VideoState, Visibility
from tests.support.catalogs import blank

NOW = 1_800_000_000.0
ALICE = User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", NOW)
ROOT = User(UserId("root"), "root@example.org", "Root", Role.ADMIN, "", NOW)
VIDEO = VideoId("film")


@pytest.fixture
async def catalog(tmp_path: Path) -> AsyncIterator[Catalog]:
    """A catalog with one public video of Alice's."""
    db = await Database.open(blank(tmp_path))
    async with db.write() as conn:
        await users.insert(conn, ALICE)
        await videos.insert(conn, Video(VIDEO, ALICE.id, "Old", NOW, NOW, visibility=Visibility.PUBLIC))
    yield Catalog(db, Queue(lambda: NOW), lambda: NOW)
    await db.close()


async def test_edits_at_the_same_time_keep_each_other(catalog: Catalog) -> None:
    """One sets the title while another makes the video private: it ends with the new title, and private."""
    alice = Viewer(ALICE)
    for number in range(10):
        await catalog.edit(VIDEO, alice, {"title": "Old", "visibility": "public"})
        title = f"New {number}"
        await asyncio.gather(
            catalog.edit(VIDEO, alice, {"visibility": "private"}), catalog.edit(VIDEO, alice, {"title": title})
        )
        video = await catalog.get(VIDEO, alice)
        assert (video.title, video.visibility) == (title, Visibility.PRIVATE)


async def test_a_new_file_takes_its_place_while_somebody_asks(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hear of the old file and what is to come, or of the new one: never of the old one as if nothing came."""
    db, look = catalog._db, videos.get
    async with db.write() as conn:
        await replacements.put(conn, Replacement(VIDEO, "videos/film/new/source.mp4", "new.mp4", 1, None, NOW))

    async def takes_over(conn: Connection, video_id: VideoId) -> Video | None:
        found = await look(conn, video_id)
        monkeypatch.setattr(videos, "get", look)
        async with db.write() as writing:
            await videos.change(writing, VIDEO, NOW, height=720)
            await replacements.delete(writing, VIDEO)
        return found

    monkeypatch.setattr(videos, "get", takes_over)
    video = await catalog.get(VIDEO, Viewer(ALICE))
    assert (video.height, video.replacement) == (720, None)


async def test_what_others_do_to_a_video_is_written_down(catalog: Catalog) -> None:
    """Not what the owner does; of an administrator: who, from where, to which video of whom, and which fields."""
    alice, root = Viewer(ALICE), Viewer(ROOT)
    await catalog.edit(VIDEO, alice, {"title": "Mine"}, "203.0.113.9")
    await catalog.edit(VIDEO, root, {"title": "Not a secret", "visibility": "unlisted"}, "203.0.113.9")
    await Trash(catalog._db, catalog._queue, lambda: NOW).delete(VIDEO, root, "203.0.113.9")
    deleted, edited = (await Audit(catalog._db).entries()).items
    for line in (deleted, edited):
        assert line.actor == Actor(ROOT.id, ROOT.email, "203.0.113.9")
        assert (line.subject_id, line.subject) == (ALICE.id, ALICE.email)
    assert (edited.act, edited.details) == (Act.VIDEO_EDITED, {"video": VIDEO, "fields": "title visibility"})
    assert (deleted.act, deleted.details) == (Act.VIDEO_DELETED, {"video": VIDEO})


def cursor(content: object) -> str:
    """A cursor in the form of ours."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


DEEP = base64.urlsafe_b64encode(b"[" * 30_000).decode()


@pytest.mark.parametrize("made_up", [cursor([1.0, "\ud800"]), cursor([1.0, ""]), cursor([1.0, "a b"]), DEEP])
async def test_a_list_begins_at_an_id(catalog: Catalog, made_up: str) -> None:
    """A cursor whose text is no id is refused before the catalog is asked."""
    with pytest.raises(InvalidCursor):
        await catalog.listed(made_up)


async def test_everything_there_is(catalog: Catalog) -> None:
    """Whoever holds the data directory lists everybody's videos page by page, or one owner's, or those in one state."""
    async with catalog._db.write() as conn:
        await users.insert(conn, ROOT)
        await videos.insert(conn, Video(VideoId("clip"), ROOT.id, "New", NOW + 1, NOW, state=VideoState.FAILED))
    first = await catalog.everything(limit=1)
    assert [video.id for video in first.items] == ["clip"]
    second = await catalog.everything(cursor=first.next_cursor, limit=1)
    assert ([video.id for video in second.items], second.next_cursor) == ([VIDEO], None)
    assert [video.id for video in (await catalog.everything(ALICE.id)).items] == [VIDEO]
    assert [video.id for video in (await catalog.everything(state=VideoState.FAILED)).items] == ["clip"]
    assert (await catalog.everything(ALICE.id, VideoState.FAILED)).items == []
