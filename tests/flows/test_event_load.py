"""Many viewers at once on a real server, killed and started again: what was acknowledged is counted, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from streamhost.model.ids import new_id
from tests.support.clips import small_clip
from tests.support.server import Api, RunningServer, until

VIEWERS = 20
ROUNDS = 5
IN_A_ROUND = 10
"""Events of each viewer in a request; one request a second is what twenty viewers at ten events a second come to."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """An instance of its own, which is killed."""
    running = RunningServer(tmp_path_factory.mktemp("load") / "data").start()
    running.add_user("alice@example.org")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def video(server: RunningServer) -> str:
    """A public clip of 12 seconds."""
    alice = server.client("alice@example.org")
    video = alice.upload(small_clip(), title="Watched by many", visibility="public")
    alice.wait_until(video, "playable")
    return video


def batch(session: str, video: str, number: int) -> dict[str, Any]:
    """The events of a second, a tenth of a second apart, while the film plays on."""
    first = number * IN_A_ROUND
    events = [
        {"type": "progress", "at": 1000 + n / 10, "position": n / 10, "seq": n}
        for n in range(first, first + IN_A_ROUND)
    ]
    if number == 0:
        events[0]["type"] = "start"
    return {"session": session, "video": video, "events": events}


def figures(alice: Api, video: str) -> dict[str, Any]:
    """What the owner is told."""
    found: dict[str, Any] = alice.get(f"/api/v1/videos/{video}/analytics").json()
    return found


async def watch(client: httpx.AsyncClient, video: str, session: str, answers: list[float]) -> None:
    """One viewer: a batch a second, sent again until it is taken."""
    for number in range(ROUNDS):
        begun = time.perf_counter()
        await post(client, batch(session, video, number))
        answers.append(time.perf_counter() - begun)
        await asyncio.sleep(0.2)


async def post(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    """Until it is taken, however often the server goes away meanwhile."""
    while True:
        with suppress(httpx.HTTPError):
            answer = await client.post("/api/v1/events", json=body)
            if answer.status_code == 202:
                assert answer.json() == {"accepted": IN_A_ROUND}
                return
            assert answer.status_code in (429, 503), answer.text
        await asyncio.sleep(0.1)


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client for all viewers."""
    limits = httpx.Limits(max_connections=VIEWERS)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=150) as one:
        yield one


async def test_nothing_acknowledged_is_lost(server: RunningServer, video: str, client: httpx.AsyncClient) -> None:
    """Twenty viewers report; the server is killed between two answers, comes back, and every event counts once."""
    alice = server.client("alice@example.org")
    sessions = [new_id() for _ in range(VIEWERS)]
    answers: list[float] = []

    async def kill_once() -> None:
        await asyncio.to_thread(until, lambda: len(answers) >= VIEWERS)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)

    await asyncio.gather(kill_once(), *(watch(client, video, session, answers) for session in sessions))
    assert len(answers) == VIEWERS * ROUNDS
    for session in sessions[:5]:
        await post(client, batch(session, video, 1))  # known already
    seconds = VIEWERS * (ROUNDS * IN_A_ROUND - 1) / 10

    def folded() -> bool:
        return bool(abs(figures(alice, video)["watch_time"] - seconds) < 0.5)

    await asyncio.to_thread(until, folded)
    found = figures(alice, video)
    assert (found["plays"], found["views"]) == (VIEWERS, 0)
    assert found["watch_time"] == pytest.approx(seconds, abs=0.5)


def test_the_program_says_how_it_is(server: RunningServer, video: str) -> None:
    """`/metrics` has what was counted; whoever comes from elsewhere, or through a proxy, sees nothing of it."""
    assert httpx.get(f"{server.url}/api/v1/videos").status_code == 200  # the newest page is kept
    assert httpx.post(f"{server.url}/api/v1/events", json=batch(new_id(), video, 0)).status_code == 202
    answer = httpx.get(f"{server.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    samples = {line.split(" ")[0]: float(line.split(" ")[1]) for line in answer.text.splitlines() if line[:1] != "#"}
    assert samples['http_requests_total{method="POST",status="2xx"}'] > 0
    assert samples["streamhost_playback_events_taken_total"] > 0
    assert samples["streamhost_playback_events_waiting"] == 0
    assert samples["streamhost_data_disk_free_bytes"] > 0
    assert samples["streamhost_source_bytes"] > 0
    assert samples['http_request_duration_seconds_bucket{le="+Inf"}'] == samples["http_request_duration_seconds_count"]
    assert any(name.startswith("streamhost_jobs{") for name in samples)
    assert any(name.startswith("streamhost_cache_requests_total{") for name in samples)
    refused = httpx.get(f"{server.url}/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
    assert (refused.status_code, refused.json()["code"]) == (403, "metrics_closed")
