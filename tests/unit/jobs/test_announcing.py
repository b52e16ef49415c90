"""Events: nothing that happened is lost, nothing is told that did not happen, one bad listener costs nobody else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields
from typing import Any

import pytest

from streamhost.jobs.announcing import Announcing, announce
from streamhost.jobs.worker import Handler, Worker
from streamhost.model import events
from streamhost.model.events import EVENTS, Event, UnknownEvent, VideoDeleted, VideoFailed, VideoProcessed, event_of
from streamhost.model.ids import UserId, VideoId
from streamhost.model.tasks import AnnounceEvent, JobState, Task, TellPlugin, TellSubscriber
from tests.unit.jobs.kit import Bench

NOW = 1_800_000_000.0
FILM = VideoProcessed(VideoId("film"), UserId("alice"), "A film", at=NOW)


async def post(bench: Bench, event: Event) -> None:
    """Announce an event, committed."""
    async with bench.db.write() as conn:
        await announce(conn, bench.queue, event)


def worker(bench: Bench, announcing: Announcing) -> Worker:
    """One that tells."""
    handlers: dict[type[Task], Handler] = {
        AnnounceEvent: announcing.announce,
        TellSubscriber: announcing.tell,
        TellPlugin: announcing.tell,
    }
    return bench.worker(handlers, light=2, plugins=2)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_every_event_survives_the_queue(kind: type[Event]) -> None:
    """An event can be stored as JSON and read again, also by a version that knows fewer of its fields."""
    values = {"int": 7, "str": "words", "VideoId": "film", "UserId": "alice", "UserId | None": "root"}
    said: dict[str, Any] = {item.name: values.get(str(item.type)) for item in fields(kind)} | {"at": NOW, "id": "one"}
    event = kind(**said)
    assert None not in said.values()
    stored = json.loads(json.dumps(event.payload()))
    assert event_of(kind.kind, stored | {"of a later version": 1}) == event


def test_every_event_is_known() -> None:
    """A class of event that nobody could read again would be lost."""
    made = {thing for thing in vars(events).values() if isinstance(thing, type) and "kind" in vars(thing)}
    assert made == set(EVENTS.values())


def test_what_is_no_event_is_said_to_be_none() -> None:
    """A kind or form of another version is an error with words, not a crash."""
    with pytest.raises(UnknownEvent):
        event_of("video_sung", {})
    with pytest.raises(UnknownEvent):
        event_of(VideoFailed.kind, {"at": NOW, "video_id": "film"})


async def test_everybody_is_told_of_what_is_on_disk(bench: Bench) -> None:
    """Each subscriber hears of the event once; of a change that was rolled back nobody hears."""
    heard: dict[str, list[Event]] = {"one": [], "two": []}
    announcing = Announcing(bench.db, bench.queue)

    async def one(event: Event) -> None:
        heard["one"].append(event)

    async def two(event: Event) -> None:
        heard["two"].append(event)

    announcing.subscribe("one", one)
    announcing.subscribe("two", two, is_plugin=True)
    with pytest.raises(ZeroDivisionError):
        async with bench.db.write() as conn:
            await announce(conn, bench.queue, VideoDeleted(VideoId("film"), UserId("alice"), "A film", at=NOW))
            raise ZeroDivisionError
    await post(bench, FILM)
    running = worker(bench, announcing)
    await running.start()
    await running.idle()
    assert heard == {"one": [FILM], "two": [FILM]}


async def test_a_bad_listener_is_tried_again_alone(bench: Bench) -> None:
    """One that fails hears of the event until it takes it; one that hangs is cut off; the others heard of it once."""
    heard: list[str] = []
    announcing = Announcing(bench.db, bench.queue)

    async def good(_event: Event) -> None:
        heard.append("good")

    async def moody(_event: Event) -> None:
        heard.append("moody")
        if heard.count("moody") < 3:
            raise ValueError("not now")

    async def slow(_event: Event) -> None:
        heard.append("slow")
        if heard.count("slow") < 2:
            await asyncio.sleep(60)

    announcing.subscribe("slow", slow, patience=0.1, is_plugin=True)
    announcing.subscribe("good", good)
    announcing.subscribe("moody", moody, is_plugin=True)
    await post(bench, FILM)
    running = worker(bench, announcing)
    await running.start()

    async def all_told() -> bool:
        async with bench.db.read() as conn:
            jobs = await bench.queue.list(conn)
        return len(jobs) == 4 and all(job.state is JobState.DONE for job in jobs)

    await bench.when(all_told)
    assert sorted(heard) == ["good", "moody", "moody", "moody", "slow", "slow"]


async def test_listeners_that_hang_hold_up_nobody(bench: Bench) -> None:
    """While every plugin hangs, one event each, the house hears of everything that happens."""
    heard: list[str] = []
    announcing = Announcing(bench.db, bench.queue)
    release = asyncio.Event()

    async def hanging(_event: Event) -> None:
        await release.wait()

    async def house(event: Event) -> None:
        heard.append(event.id)

    for number in range(3):
        announcing.subscribe(f"plugin:{number}", hanging, is_plugin=True)
    announcing.subscribe("house", house)
    running = worker(bench, announcing)
    await running.start()
    events = [VideoProcessed(VideoId(str(number)), UserId("alice"), "A film", at=NOW) for number in range(5)]
    for event in events:
        await post(bench, event)

    async def heard_all() -> bool:
        return len(heard) == len(events)

    await bench.when(heard_all)
    assert sorted(heard) == sorted(event.id for event in events)
    release.set()


async def test_a_listener_that_is_gone_is_named(bench: Bench) -> None:
    """A job for a plugin that was removed fails once, in words, and is not tried for ever."""
    announcing = Announcing(bench.db, bench.queue)
    job_id = await bench.add(TellPlugin("plugin:gone", FILM.kind, FILM.payload()))
    await worker(bench, announcing).start()
    job = await bench.until(job_id, JobState.FAILED)
    assert (job.error_code, job.attempts) == ("subscriber_gone", 1)
    assert "plugin:gone" in (job.error_detail or "")
