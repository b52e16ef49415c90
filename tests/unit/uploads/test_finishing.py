"""The step from a file to a video is done once and whole, wherever it is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import uploads as rows
from streamhost.db import videos
from streamhost.features.uploads import Uploads
from streamhost.features.uploads.errors import UploadBusy, UploadGone, UploadNotFound
from streamhost.features.uploads.spool import Spool
from streamhost.model.ids import UploadId
from streamhost.model.uploads import Upload, UploadKind
from streamhost.ports import StorageUnavailable, StoredObject
from streamhost.storage.local import LocalStorage
from tests.support.tus import content
from tests.unit.uploads.conftest import ALICE, House, Open, body, eventually, upload_file


class Flaky(LocalStorage):
    """A storage that fails before or after its work for the first so many times."""

    def __init__(self, root: Path, fails: int, error: Callable[[], BaseException], after: bool) -> None:
        super().__init__(root)
        self._fails, self._error, self._after = fails, error, after

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Store the file, or fail."""
        fail = self._fails > 0
        self._fails -= 1
        if fail and not self._after:
            raise self._error()
        done = await super().put_file(key, source)
        if fail:
            raise self._error()
        return done


def crash_at(monkeypatch: pytest.MonkeyPatch, target: Any, name: str) -> None:
    async def crashing(*_args: Any, **_named: Any) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(target, name, crashing)


async def fill(uploads: Uploads, data: bytes) -> Upload:
    """Send a file whose finishing is cut off."""
    upload = await uploads.create(ALICE, len(data), metadata={"title": "Once", "filename": "a.mp4"})
    with pytest.raises(UploadBusy):
        await uploads.append(upload.id, ALICE, 0, body(data))
    return upload


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("by", ["start", "question", "sweep"])
async def test_cut_off_around_the_move(house: House, open_uploads: Open, after: bool, by: str) -> None:
    """Stopped just before or just after the file moved: the next start, question or sweep finishes, exactly once."""
    data = content(100_000)
    upload = await fill(open_uploads(storage=Flaky(house.path / "media", 1, asyncio.CancelledError, after)), data)
    assert await house.videos() == []
    await house.uploads.close()
    uploads = open_uploads()
    if by == "start":
        await uploads.start()
    elif by == "sweep":
        await uploads.sweep()
    else:
        assert (await uploads.status(upload.id, ALICE)).finished
    await eventually(house.videos)
    done = await uploads.status(upload.id, ALICE)
    await house.holds(done.video_id, data, "Once")


@pytest.mark.parametrize(("target", "name"), [(rows, "finish"), (videos, "insert")])
async def test_cut_off_in_the_last_transaction(
    house: House, open_uploads: Open, monkeypatch: pytest.MonkeyPatch, target: Any, name: str
) -> None:
    """Stopped inside the transaction: nothing of it happened, and everything of it happens later, once."""
    data = content(50_000)
    with monkeypatch.context() as patch:
        crash_at(patch, target, name)
        upload = await fill(open_uploads(), data)
    await house.uploads.close()
    assert (await house.videos(), await house.jobs()) == ([], [])
    uploads = open_uploads()
    await uploads.start()
    done = await uploads.status(upload.id, ALICE)
    await house.holds(done.video_id, data, "Once")


async def test_a_storage_that_is_away_is_tried_again(house: House, open_uploads: Open) -> None:
    """The client hears of the failure, the bytes stay acknowledged, and asking again finishes."""
    data = content(50_000)
    uploads = open_uploads(storage=Flaky(house.path / "media", 2, StorageUnavailable, after=False))
    upload = await uploads.create(ALICE, len(data))
    with pytest.raises(StorageUnavailable):
        await uploads.append(upload.id, ALICE, 0, body(data))
    with pytest.raises(StorageUnavailable):
        await uploads.status(upload.id, ALICE)
    done = await uploads.status(upload.id, ALICE)
    assert done.finished
    await house.holds(done.video_id, data)


async def test_many_questions_make_one_video(house: House, open_uploads: Open) -> None:
    """However many ask at once while it is being finished, all get the same video."""
    data = content(100_000)
    upload = await fill(open_uploads(storage=Flaky(house.path / "media", 1, asyncio.CancelledError, False)), data)
    uploads = open_uploads()
    answers = await asyncio.gather(*(uploads.status(upload.id, ALICE) for _ in range(20)))
    assert len({answer.video_id for answer in answers}) == 1
    await house.holds(answers[0].video_id, data, "Once")


async def test_a_resumed_file_is_hashed_whole(house: House, open_uploads: Open) -> None:
    """After a restart the running digest is gone; what it missed is read from the file."""
    data = content(300_000)
    uploads = open_uploads()
    upload = await uploads.create(ALICE, len(data))
    await uploads.append(upload.id, ALICE, 0, body(data[:100_000]))
    await uploads.close()
    done = await open_uploads().append(upload.id, ALICE, 100_000, body(data[100_000:]))
    await house.holds(done.video_id, data)


async def send_parts(uploads: Uploads, parts: list[bytes]) -> list[UploadId]:
    ids = []
    for part in parts:
        upload = await uploads.create(ALICE, len(part), kind=UploadKind.PARTIAL)
        await uploads.append(upload.id, ALICE, 0, body(part))
        ids.append(upload.id)
    return ids


@pytest.mark.parametrize("cut_at", [0, 1, 2, 3, 4, 5])
async def test_joining_parts_goes_on_where_it_was_cut_off(
    house: House, open_uploads: Open, monkeypatch: pytest.MonkeyPatch, cut_at: int
) -> None:
    """Stopped at any of the steps in which three parts become one file: the next start goes on, and nothing is lost."""
    parts = [content(70_000, seed) for seed in range(3)]
    uploads = open_uploads()
    ids = await send_parts(uploads, parts)
    steps = 0

    def counting(real: Any) -> Any:
        async def step(*args: Any, **named: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps > cut_at:
                raise asyncio.CancelledError
            return await real(*args, **named)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(rows, "advance", counting(rows.advance))
        patch.setattr(Spool, "remove", counting(Spool.remove))
        with pytest.raises(UploadBusy):
            await uploads.join(ALICE, ids, metadata={"title": "Joined"})
    await uploads.close()
    uploads = open_uploads()
    await uploads.start()
    done = await uploads.join(ALICE, ids, metadata={"title": "Joined"})
    assert done.finished
    await house.holds(done.video_id, b"".join(parts), "Joined")


async def test_a_part_that_was_removed_ends_the_whole(house: House, open_uploads: Open) -> None:
    """If a part's file is gone, the final upload is too: it is told, and nothing waits for ever."""
    uploads = open_uploads()
    ids = await send_parts(uploads, [b"abc", b"def"])
    upload_file(house, ids[1]).unlink()
    with pytest.raises(UploadGone):
        await uploads.join(ALICE, ids)
    assert await house.videos() == []
    await uploads.sweep()
    await eventually(lambda: not house.spooled())
    assert await house.rows() == {}


async def test_an_owner_who_is_deleted_takes_the_upload_along(house: House, open_uploads: Open) -> None:
    """A file whose owner went in the meantime becomes no video, and no file of it stays."""
    upload = await fill(open_uploads(storage=Flaky(house.path / "media", 1, asyncio.CancelledError, False)), b"abc")
    async with house.db.write() as conn:
        await conn.execute("DELETE FROM users WHERE id = :id", {"id": ALICE})
    uploads = open_uploads()
    with pytest.raises(UploadNotFound):
        await uploads.status(upload.id, ALICE)
    await uploads.sweep()
    assert (await house.videos(), await house.stored(), house.spooled()) == ([], [], set())
