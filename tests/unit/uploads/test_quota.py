"""What each user may keep: refused before bytes are accepted, however they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from streamhost.config import UploadSettings
from streamhost.db import users as user_rows
from streamhost.features.quota import OverQuota, Quotas
from streamhost.features.uploads import Uploads
from streamhost.features.uploads.errors import UploadNotFound
from streamhost.model.audit import SYSTEM
from streamhost.model.errors import NotFound
from streamhost.model.ids import UploadId, UserId
from streamhost.model.uploads import UploadKind
from tests.unit.uploads.conftest import ALICE, BOB, House, Open, body


def limited(house: House, open_uploads: Open, **settings: int) -> tuple[Quotas, Uploads]:
    """A site where everybody may keep so much."""
    quotas = Quotas(house.db, house.clock, UploadSettings(**settings))
    return quotas, open_uploads(quota=quotas.check)


async def used(quotas: Quotas, user: UserId = ALICE) -> tuple[int, int]:
    """Bytes and videos of a user."""
    usage = await quotas.usage(user)
    return usage.bytes, usage.videos


async def test_a_file_that_fits_exactly(house: House, open_uploads: Open) -> None:
    """The last byte that is allowed is taken; one more is refused before anything is stored, for this user only."""
    quotas, uploads = limited(house, open_uploads, quota_bytes=10)
    await uploads.create_with(ALICE, 7, body(b"1234567"))
    with pytest.raises(OverQuota, match="3 are left, 4 are needed"):
        await uploads.create(ALICE, 4)
    await uploads.create(BOB, 10)
    await uploads.create_with(ALICE, 3, body(b"123"))
    assert await used(quotas) == (10, 2)
    assert len(await house.rows()) == 3


async def test_what_is_still_coming_counts(house: House, open_uploads: Open) -> None:
    """An upload counts with its whole length from the beginning, and gives that back when it is ended or expires."""
    quotas, uploads = limited(house, open_uploads, quota_bytes=10)
    upload = await uploads.create(ALICE, 8)
    with pytest.raises(OverQuota):
        await uploads.create(ALICE, 3)
    await uploads.terminate(upload.id, ALICE)
    forgotten = await uploads.create(ALICE, 10)
    house.now = forgotten.expires_at + 1
    assert await used(quotas) == (0, 0)
    await uploads.create(ALICE, 10)


async def test_many_at_once(house: House, open_uploads: Open) -> None:
    """Uploads that begin at the same moment cannot be given the same bytes."""
    quotas, uploads = limited(house, open_uploads, quota_bytes=10)
    answers = await asyncio.gather(*(uploads.create(ALICE, 3) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(answer, OverQuota) for answer in answers) == 7
    assert await used(quotas) == (9, 3)


async def test_a_length_that_is_not_known(house: House, open_uploads: Open) -> None:
    """Without a length each piece is weighed as it comes, and the length when it is said."""
    _, uploads = limited(house, open_uploads, quota_bytes=10)
    upload = await uploads.create(ALICE, None)
    await uploads.append(upload.id, ALICE, 0, body(b"123456"), size=6)
    with pytest.raises(OverQuota):
        await uploads.append(upload.id, ALICE, 6, body(b"78901"), size=5)
    with pytest.raises(OverQuota):
        await uploads.append(upload.id, ALICE, 6, body(b"7"), length=11)
    assert (await uploads.append(upload.id, ALICE, 6, body(b"7890"), length=10)).finished


async def test_a_body_that_does_not_say_its_size(house: House, open_uploads: Open) -> None:
    """A request that brings more than it says is not believed: what is too much is never acknowledged."""
    quotas, uploads = limited(house, open_uploads, quota_bytes=10)
    upload = await uploads.create(ALICE, None)
    with pytest.raises(OverQuota):
        await uploads.append(upload.id, ALICE, 0, body(b"x" * 11))
    assert (await uploads.status(upload.id, ALICE)).offset == 0
    assert await used(quotas) == (0, 1)
    several = [await uploads.create(ALICE, None) for _ in range(5)]
    pieces = (uploads.append(one.id, ALICE, 0, body(b"xyz")) for one in several)
    answers = await asyncio.gather(*pieces, return_exceptions=True)
    assert sum(isinstance(answer, OverQuota) for answer in answers) == 2


async def test_one_request(house: House, open_uploads: Open) -> None:
    """A file that comes in one request is refused by what the request says, or by what it brings; nothing stays."""
    quotas, uploads = limited(house, open_uploads, quota_bytes=5000)
    with pytest.raises(OverQuota):
        await uploads.receive(ALICE, body(b""), metadata=dict, size=50_000)
    with pytest.raises(OverQuota):
        await uploads.receive(ALICE, body(b"x" * 5001), metadata=dict)
    assert (await used(quotas), house.spooled()) == ((0, 0), set())
    await uploads.receive(ALICE, body(b"x" * 5000), metadata=dict, size=5000)
    assert await used(quotas) == (5000, 1)


async def test_parts_count_once(house: House, open_uploads: Open) -> None:
    """Parts and what they are joined to are the same bytes, and one video."""
    quotas, uploads = limited(house, open_uploads, quota_bytes=10, quota_videos=1)
    parts: list[UploadId] = []
    for piece in (b"12345", b"67890"):
        parts.append((await uploads.create_with(ALICE, 5, body(piece), kind=UploadKind.PARTIAL)).id)
    assert await used(quotas) == (10, 0)
    with pytest.raises(OverQuota):
        await uploads.create(ALICE, 1, kind=UploadKind.PARTIAL)
    assert (await uploads.join(ALICE, parts)).finished
    assert await used(quotas) == (10, 1)
    [video] = await house.videos()
    assert video.source_size == 10


async def test_a_number_of_videos(house: House, open_uploads: Open) -> None:
    """Videos are counted, arriving ones and those in the trash too; one that is deleted for good makes room again."""
    quotas, uploads = limited(house, open_uploads, quota_videos=2)
    await uploads.create_with(ALICE, 1, body(b"1"))
    coming = await uploads.create(ALICE, 5)
    with pytest.raises(OverQuota, match="2 of the 2 videos"):
        await uploads.create(ALICE, 5)
    with pytest.raises(OverQuota):
        await uploads.receive(ALICE, body(b"1"), metadata=dict)
    assert (await uploads.append(coming.id, ALICE, 0, body(b"12345"))).finished
    async with house.db.write() as conn:
        await conn.execute("UPDATE videos SET deleted_at = 1 WHERE source_size = 1")
    assert await used(quotas) == (6, 2)
    async with house.db.write() as conn:
        await conn.execute("DELETE FROM videos WHERE source_size = 1")
    assert await used(quotas) == (5, 1)
    await uploads.create(ALICE, 5)


async def test_numbers_of_ones_own(house: House, open_uploads: Open) -> None:
    """An admin gives somebody more, less, or no limit at all, and takes it back; what is there stays."""
    quotas, uploads = limited(house, open_uploads, quota_bytes=10, quota_videos=1)
    await quotas.allow(ALICE, 100, 0, SYSTEM)
    await uploads.create_with(ALICE, 60, body(b"x" * 60))
    await uploads.create(ALICE, 40)
    usage = await quotas.usage(ALICE)
    assert (usage.max_bytes, usage.max_videos, usage.own_bytes, usage.own_videos) == (100, None, 100, 0)
    usage = await quotas.allow(ALICE, None, None, SYSTEM)
    assert (usage.bytes, usage.max_bytes, usage.max_videos) == (100, 10, 1)
    with pytest.raises(OverQuota, match="0 are left"):
        await uploads.create(ALICE, 1)
    await uploads.create(BOB, 10)
    with pytest.raises(NotFound):
        await quotas.allow(UserId("nobody"), 1, 1, SYSTEM)
    with pytest.raises(NotFound):
        await quotas.usage(UserId("nobody"))


async def test_no_limit(house: House, open_uploads: Open) -> None:
    """A site without quotas takes what fits, and still tells what is used."""
    quotas, uploads = limited(house, open_uploads)
    await uploads.create_with(ALICE, 3, body(b"123"))
    usage = await quotas.usage(ALICE)
    assert (usage.bytes, usage.videos, usage.max_bytes, usage.max_videos) == (3, 1, None, None)


async def test_who_is_shut_out_in_the_middle_brings_no_video(house: House, uploads: Uploads) -> None:
    """A request that was let in before goes on; what it brings after its owner was disabled is not taken."""
    upload = await uploads.create(ALICE, 6)

    async def half_before() -> AsyncIterator[bytes]:
        yield b"123"
        async with house.db.write() as conn:
            await user_rows.set_disabled(conn, ALICE, house.now)
        yield b"456"

    with pytest.raises(UploadNotFound):
        await uploads.append(upload.id, ALICE, 0, half_before(), size=6)
    assert await house.videos() == []
