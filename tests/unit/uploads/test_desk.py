"""Uploads come in, are continued, refused, ended and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamhost.db import uploads as rows
from streamhost.db.core import Connection
from streamhost.features.uploads import ClientGone, OffsetMismatch, Pace, UploadInterrupted, Uploads
from streamhost.features.uploads.errors import (
    ClientSilent,
    NoRoom,
    UploadBusy,
    UploadGone,
    UploadNotFound,
    UploadTooLarge,
)
from streamhost.features.uploads.spool import SpoolFile
from streamhost.model.clock import HOUR
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import UploadId, UserId
from streamhost.model.uploads import Upload
from tests.support.tus import content
from tests.unit.uploads.conftest import ALICE, BOB, House, Open, Pause, body, broken, eventually, upload_file

QUICK = Pace(save_bytes=1000, save_seconds=0.05, silence=0.3)


async def test_a_file_in_one_go(uploads: Uploads, house: House) -> None:
    """Created, filled, finished: one video, one job, one stored file, an empty spool."""
    data = content(3_000_000)
    upload = await uploads.create(ALICE, len(data), metadata={"filename": "a_b.mp4", "relativePath": "x"})
    done = await uploads.append(upload.id, ALICE, 0, body(data), size=len(data))
    assert done.finished
    await house.holds(done.video_id, data, "A b")


async def test_a_broken_connection_keeps_what_came(uploads: Uploads, house: House) -> None:
    """The offset after a break is that of every byte that arrived, synced and stored."""
    upload = await uploads.create(ALICE, 10)
    with pytest.raises(ClientGone):
        await uploads.append(upload.id, ALICE, 0, broken(b"abc", b"def"))
    assert (await uploads.status(upload.id, ALICE)).offset == 6
    assert (await house.rows())[upload.id] == 6
    done = await uploads.append(upload.id, ALICE, 6, broken(b"ghij"))
    await house.holds(done.video_id, b"abcdefghij")


async def test_offsets_are_stored_on_the_way(open_uploads: Open, house: House) -> None:
    """In the middle of a long request a crash would cost little: offsets are stored by bytes, and by time too."""
    uploads, go_on = open_uploads(replace(QUICK, silence=600.0)), asyncio.Event()
    upload = await uploads.create(ALICE, 5_000_000)
    task = asyncio.create_task(uploads.append(upload.id, ALICE, 0, body(content(100), then=go_on)))
    await eventually(lambda: _stands_at(house, upload.id, 100))
    assert upload_file(house, upload.id).stat().st_size == 100
    go_on.set()
    assert (await task).offset == 100


async def test_no_offset_is_stored_before_its_bytes_are_on_the_disk(
    open_uploads: Open, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is acknowledged survives a loss of power: on the way, and at the end of a request."""
    on_disk, offsets = [0], []
    sync, advance = os.fdatasync, rows.advance

    def note_sync(descriptor: int) -> None:
        sync(descriptor)
        on_disk.append(os.fstat(descriptor).st_size)

    async def note_offset(conn: Connection, upload: Upload) -> bool:
        offsets.append((upload.offset, on_disk[-1]))
        return await advance(conn, upload)

    monkeypatch.setattr(os, "fdatasync", note_sync)
    monkeypatch.setattr(rows, "advance", note_offset)
    uploads, go_on = open_uploads(replace(QUICK, silence=600.0)), asyncio.Event()
    upload = await uploads.create(ALICE, 5_000_000)
    task = asyncio.create_task(uploads.append(upload.id, ALICE, 0, body(content(100), content(50), then=go_on)))
    await eventually(lambda: _stands_at(house, upload.id, 150))
    go_on.set()
    assert (await task).offset == 150
    await uploads.append(upload.id, ALICE, 150, body(content(60)))
    assert offsets[-1] == (210, 210)
    assert all(stored <= synced for stored, synced in offsets)


async def _stands_at(house: House, upload_id: UploadId, offset: int) -> bool:
    return (await house.rows())[upload_id] == offset


async def test_a_silent_client_is_let_go(open_uploads: Open) -> None:
    """A connection that sends nothing for long ends with an error, and what it brought counts."""
    uploads = open_uploads(QUICK)
    upload = await uploads.create(ALICE, 10)
    with pytest.raises(ClientSilent):
        await uploads.append(upload.id, ALICE, 0, body(b"abc", then=asyncio.Event()))
    assert (await uploads.status(upload.id, ALICE)).offset == 3


async def test_a_slow_disk_is_no_silence(open_uploads: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nobody listens, since what came is still being written, the client is not said to be silent."""
    sync = SpoolFile.sync

    def slowly(file: SpoolFile) -> None:
        time.sleep(0.3)
        sync(file)

    monkeypatch.setattr(SpoolFile, "sync", slowly)
    uploads = open_uploads(Pace(save_bytes=1, save_seconds=0.02, silence=0.1))
    upload = await uploads.create(ALICE, 4)
    assert (await uploads.append(upload.id, ALICE, 0, body(b"ab", b"cd"))).finished


async def test_the_newest_request_wins(uploads: Uploads, house: House) -> None:
    """A request that hangs is told to let go by the next one and where it stood; nothing is lost or doubled."""
    upload = await uploads.create(ALICE, 6)
    pause = Pause()
    stale = asyncio.create_task(uploads.append(upload.id, ALICE, 0, body(b"abc", then=pause)))
    await pause.reached.wait()
    assert (await uploads.status(upload.id, ALICE)).offset == 3
    with pytest.raises(UploadInterrupted) as caught:
        await stale
    assert caught.value.offset == 3
    done = await uploads.append(upload.id, ALICE, 3, body(b"def"))
    await house.holds(done.video_id, b"abcdef")


async def test_a_cancelled_request_is_not_torn(uploads: Uploads) -> None:
    """When the server cancels a request, its bytes are stored before it ends, and the upload is free."""
    upload = await uploads.create(ALICE, 6)
    pause = Pause()
    task = asyncio.create_task(uploads.append(upload.id, ALICE, 0, body(b"abc", then=pause)))
    await pause.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await uploads.append(upload.id, ALICE, 3, body(b"def"))).finished


async def test_a_full_disk_keeps_what_was_acknowledged(uploads: Uploads, house: House) -> None:
    """When the disk is full in mid-write the client is told so; when there is room again it goes on where it was."""
    data = content(8_000_000)
    upload = await uploads.create(ALICE, len(data))
    await uploads.append(upload.id, ALICE, 0, body(data[:1_000_000]))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, before[1]))
    try:
        with pytest.raises(NoRoom):
            pieces = [data[start : start + 100_000] for start in range(1_000_000, 8_000_000, 100_000)]
            await uploads.append(upload.id, ALICE, 1_000_000, body(*pieces))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    stands = (await uploads.status(upload.id, ALICE)).offset
    assert 1_000_000 <= stands <= 5_000_000
    done = await uploads.append(upload.id, ALICE, stands, body(data[stands:]))
    await house.holds(done.video_id, data)


async def test_the_disk_is_watched_while_bytes_come(open_uploads: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload of unknown length stops when what stays free would be used, and keeps what came before."""
    uploads = open_uploads(Pace(save_bytes=1, save_seconds=0.0), keep_free=1_000_000)
    left = 1_500_000

    async def free(_spool: object) -> int:
        return left

    monkeypatch.setattr("streamhost.features.uploads.spool.Spool.free", free)
    upload = await uploads.create(ALICE, None)
    await uploads.append(upload.id, ALICE, 0, body(b"abc"), size=3)
    with pytest.raises(NoRoom):
        await uploads.append(upload.id, ALICE, 3, body(b"x"), size=600_000)
    left = 900_000
    with pytest.raises(NoRoom):
        await uploads.append(upload.id, ALICE, 3, body(b"def", b"ghi", b"jkl"))
    left = 2_000_000
    stands = (await uploads.status(upload.id, ALICE)).offset
    assert 3 < stands <= 12
    assert (await uploads.append(upload.id, ALICE, stands, body(b"end"))).offset == stands + 3


async def test_room_promised_to_one_is_not_promised_to_another(
    open_uploads: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten begin at once where there is room for three: three are accepted, whoever they are, until one ends."""
    uploads = open_uploads()

    async def free(_spool: object) -> int:
        return 350

    monkeypatch.setattr("streamhost.features.uploads.spool.Spool.free", free)
    asked = [uploads.create(owner, 100) for owner in (ALICE, BOB) * 5]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    accepted = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(accepted) == 3
    assert sum(isinstance(answer, NoRoom) for answer in answers) == 7
    await uploads.terminate(accepted[0].id, accepted[0].owner_id)
    await uploads.create(ALICE, 150)


async def test_a_quota_is_asked_before_bytes_are_accepted(open_uploads: Open) -> None:
    """A site's own rule refuses an upload by owner and size, at creation and when the length is said later."""

    class OverQuota(StreamhostError):
        """You have used what you may use."""

        code = "over_quota"

    async def ten_bytes(_conn: Connection, owner: UserId, more: int, _files: int) -> None:
        if owner == ALICE and more > 10:
            raise OverQuota

    uploads = open_uploads(quota=ten_bytes)
    with pytest.raises(OverQuota):
        await uploads.create(ALICE, 11)
    await uploads.create(BOB, 11)
    deferred = await uploads.create(ALICE, None)
    with pytest.raises(OverQuota):
        await uploads.append(deferred.id, ALICE, 0, body(b"abc"), length=11)
    assert (await uploads.append(deferred.id, ALICE, 0, body(b"abc"), length=3)).finished


async def test_what_expired_is_swept(uploads: Uploads, house: House) -> None:
    """After its time an upload cannot be continued; the sweep removes row and file, twice without harm."""
    upload = await uploads.create(ALICE, 10)
    await uploads.append(upload.id, ALICE, 0, body(b"abc"))
    house.now += 71 * HOUR
    await uploads.append(upload.id, ALICE, 3, body(b"d"))
    house.now += 71 * HOUR
    await uploads.sweep()
    assert (await uploads.status(upload.id, ALICE)).offset == 4
    house.now += 2 * HOUR
    with pytest.raises(UploadGone):
        await uploads.status(upload.id, ALICE)
    await uploads.sweep()
    await uploads.sweep()
    with pytest.raises(UploadNotFound):
        await uploads.status(upload.id, ALICE)
    assert house.spooled() == set()


async def test_the_sweep_leaves_working_uploads_alone(uploads: Uploads, house: House) -> None:
    """An upload that is receiving bytes is never taken from under the one who sends them."""
    upload, go_on = await uploads.create(ALICE, 6), Pause()
    task = asyncio.create_task(uploads.append(upload.id, ALICE, 0, body(b"abc", then=go_on)))
    await go_on.reached.wait()
    house.now += 100 * HOUR
    await uploads.sweep()
    go_on.set()
    assert (await task).offset == 3


async def test_files_without_an_upload_are_swept(uploads: Uploads, house: House) -> None:
    """What a crash between row and file left is removed; files of others' making with other names are not."""
    (house.path / "uploads" / "abandoned123").write_bytes(b"x")
    (house.path / "uploads" / "read.me").write_bytes(b"x")
    kept = await uploads.create(ALICE, 10)
    await uploads.append(kept.id, ALICE, 0, body(b"abc"))
    await uploads.sweep()
    assert house.spooled() == {kept.id, "read.me"}


async def test_a_finished_upload_answers_for_a_while_and_is_then_forgotten(uploads: Uploads, house: House) -> None:
    """Its row goes after its time, its video never."""
    upload = await uploads.create(ALICE, 3)
    done = await uploads.append(upload.id, ALICE, 0, body(b"abc"))
    house.now += 71 * HOUR
    assert (await uploads.status(upload.id, ALICE)).video_id == done.video_id
    house.now += 2 * HOUR
    await uploads.sweep()
    assert await house.rows() == {}
    await house.holds(done.video_id, b"abc")


async def test_a_lost_file_is_told_and_not_made_up(uploads: Uploads, house: House) -> None:
    """If somebody removed the spool's file, the upload is gone; nothing pretends to have the bytes."""
    upload = await uploads.create(ALICE, 10)
    await uploads.append(upload.id, ALICE, 0, body(b"abc"))
    upload_file(house, upload.id).unlink()
    with pytest.raises(UploadGone):
        await uploads.append(upload.id, ALICE, 3, body(b"d"))


async def test_one_request_is_all_or_nothing(uploads: Uploads, house: House) -> None:
    """A whole file by one request becomes a video; one that breaks, is too large or badly described leaves nothing."""
    upload, video = await uploads.receive(ALICE, body(b"abc", b"def"), lambda: {"title": "One go"})
    assert (video.title, upload.video_id) == ("One go", video.id)
    await house.holds(video.id, b"abcdef", "One go")
    before = await house.rows()
    for words, end, error in (({}, ClientGone(), ClientGone), ({"visibility": "x"}, None, InvalidInput)):
        with pytest.raises(error):
            await uploads.receive(ALICE, body(b"abc", end=end), lambda words=words: words)  # type: ignore[misc]
    assert await house.rows() == before
    assert house.spooled() == set()


async def test_a_file_too_large_for_one_request(open_uploads: Open, house: House) -> None:
    """The limit holds without a length, as soon as it is passed."""
    uploads = open_uploads(max_size=5)
    with pytest.raises(UploadTooLarge):
        await uploads.receive(ALICE, body(b"abc", b"def"), dict)
    assert (await house.rows(), house.spooled()) == ({}, set())


async def test_at_the_end_whole_files_get_a_little_time(uploads: Uploads, house: House) -> None:
    """When the server stops, resumable uploads let go at once, a file by one request may arrive, nothing begins."""
    pause, go_on = Pause(), Pause()
    upload = await uploads.create(ALICE, 6)
    resumable = asyncio.create_task(uploads.append(upload.id, ALICE, 0, body(b"abc", then=pause)))
    whole = asyncio.create_task(uploads.receive(ALICE, body(b"whole", then=go_on), dict))
    await asyncio.gather(pause.reached.wait(), go_on.reached.wait())
    closing = asyncio.create_task(uploads.close())
    with pytest.raises(UploadInterrupted):
        await resumable
    with pytest.raises(UploadBusy):
        await uploads.append(upload.id, ALICE, 3, body(b"def"))
    go_on.set()
    done, video = await whole
    await closing
    assert (await house.rows())[upload.id] == 3
    assert (done.finished, video.source_size) == (True, 5)


STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(0, 400_000)),
    st.tuples(st.just("break"), st.integers(0, 400_000)),
    st.tuples(st.just("hang"), st.integers(1, 400_000)),
    st.tuples(st.just("stale"), st.integers(1, 50)),
    st.tuples(st.just("restart"), st.just(0)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=12), st.integers(1, 1_500_000))
async def test_whatever_happens_the_file_is_the_file(
    house: House, open_uploads: Open, steps: list[tuple[str, int]], size: int
) -> None:
    """Chunks of any size, breaks, hanging and stale requests and restarts in any order: offsets are always true, and
    the video has just the bytes of the file."""
    data, pace = content(size), replace(QUICK, silence=600.0)
    uploads = open_uploads(pace)
    upload = await uploads.create(ALICE, size)
    stands = 0
    for step, amount in steps:
        piece = data[stands : stands + amount]
        if step == "append":
            stands = (await uploads.append(upload.id, ALICE, stands, body(piece))).offset
        elif step == "break":
            with contextlib.suppress(ClientGone):
                await uploads.append(upload.id, ALICE, stands, broken(piece))
            stands += len(piece)
        elif step == "hang":
            pause = Pause()
            hanging = asyncio.create_task(uploads.append(upload.id, ALICE, stands, body(piece, then=pause)))
            reached = asyncio.create_task(pause.reached.wait())
            await asyncio.wait([hanging, reached], return_when=asyncio.FIRST_COMPLETED)
            reached.cancel()
            stands = (await uploads.status(upload.id, ALICE)).offset
            await asyncio.gather(hanging, return_exceptions=True)
        elif step == "stale":
            with pytest.raises(OffsetMismatch):
                await uploads.append(upload.id, ALICE, stands + amount, body(b"zz"))
        else:
            await uploads.close()
            uploads = open_uploads(pace)
            await uploads.start()
        assert (await uploads.status(upload.id, ALICE)).offset == stands
    done = await uploads.append(upload.id, ALICE, stands, body(data[stands:]))
    found = [video for video in await house.videos() if video.id == done.video_id]
    assert [video.source_size for video in found] == [size]
    key = found[0].source_key or ""
    assert b"".join([piece async for piece in house.storage.read(key)]) == data
    await uploads.close()
