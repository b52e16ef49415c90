"""One request at a time on an upload; the newest wins."""

from __future__ import annotations

import asyncio

import pytest

from streamhost.features.uploads.errors import UploadBusy
from streamhost.features.uploads.locks import Hold, Locks
from streamhost.model.ids import UploadId

ONE = UploadId("one")


async def test_the_holder_is_asked_to_let_go() -> None:
    """A second request makes the first let go and then goes on itself."""
    locks, order, asked = Locks(), [], asyncio.Event()

    async def first() -> None:
        async with locks.hold(ONE, Hold()) as hold:
            hold.when_wanted(asked.set)
            await asked.wait()
            order.append("first")

    task = asyncio.create_task(first())
    await asyncio.sleep(0)
    async with locks.hold(ONE, Hold()):
        order.append("second")
    await task
    assert order == ["first", "second"]
    assert locks.free(ONE)


async def test_a_holder_that_starts_late_is_asked_at_once() -> None:
    """Of three requests the one in the middle lets go as soon as it gets its turn."""
    locks, release, order = Locks(), asyncio.Event(), []

    async def stubborn() -> None:
        async with locks.hold(ONE, Hold()):
            await release.wait()

    async def middle() -> None:
        async with locks.hold(ONE, Hold()) as hold:
            hold.when_wanted(lambda: order.append("asked at once"))

    async def newest() -> None:
        async with locks.hold(ONE, Hold()) as hold:
            hold.when_wanted(lambda: order.append("never"))
            order.append("newest")

    tasks = []
    for work in (stubborn, middle, newest):
        tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(0)
    release.set()
    await asyncio.gather(*tasks)
    assert order == ["asked at once", "newest"]


async def test_a_holder_that_never_lets_go_is_not_waited_for_for_ever() -> None:
    """After its patience the second request is told that the upload is busy; the first keeps it."""
    locks = Locks(patience=0.05)
    async with locks.hold(ONE, Hold()):
        with pytest.raises(UploadBusy):
            async with locks.hold(ONE, Hold()):
                pass
        assert not locks.free(ONE)
    assert locks.free(ONE)


async def test_uploads_do_not_wait_for_each_other() -> None:
    """The lock of one upload says nothing about another."""
    locks = Locks(patience=0.05)
    async with locks.hold(ONE, Hold()), locks.hold(UploadId("other"), Hold()):
        pass


async def test_many_waiters_get_their_turn_and_leave_nothing_behind() -> None:
    """However many come at once, each gets in alone, and no lock stays in memory."""
    locks, inside = Locks(), 0

    async def work() -> None:
        nonlocal inside
        async with locks.hold(ONE, Hold()):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(50)))
    assert locks.free(ONE)
