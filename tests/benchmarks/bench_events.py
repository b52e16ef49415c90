"""What reports of players cost: the loop for each request, segments beside them, and a minute of twenty viewers.

    .venv/bin/python tests/benchmarks/bench_events.py

In one process: time of the loop's own thread for a request of ten events, from the door to the answer, the shared
transaction and the folding included. Over the network: how long a segment of 256 KiB takes while twenty viewers report
ten events a second for a minute, against a minute without them; and whether every event was counted.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from streamhost.model.ids import new_id
from streamhost.model.videos import Video, Visibility, package_prefix
from streamhost.server.delivery import Delivery
from streamhost.server.door import Message, Scope
from streamhost.server.overhearing import hears
from tests.support.clips import copied_clip
from tests.support.house import House, a_house
from tests.support.server import RunningServer

REQUESTS = 2_000
AT_ONCE = 100
EVENTS = 10
VIEWERS = 20
SECONDS = 60
TURNS = 4
CATALOG = "catalog.sqlite3"
ROUNDS = 15
SEGMENT = "v720/0.m4s"
SEGMENT_BYTES = 256 * 1024
CMCD = b'bl=21300,br=3200,d=4004,ot=v,mtp=25400,sid="6e2fb550-c457-11e9-bb97-0800200c9a66"'


def figure(name: str, unit: str, ours: float, peer: float | None = None, aim: str | None = None) -> None:
    """Print one."""
    ratio = None if not peer else round(ours / peer, 3)
    print(json.dumps({"name": name, "unit": unit, "ours": round(ours, 4), "peer": peer, "ratio": ratio, "aim": aim}))


def events(number: int) -> list[dict[str, Any]]:
    """A second of a viewer."""
    first = number * EVENTS
    return [
        {"type": "progress" if n else "start", "at": 1000 + n / 10, "position": n / 10, "seq": n}
        for n in range(first, first + EVENTS)
    ]


async def loop_time(folder: Path) -> None:
    """Milliseconds of the loop's thread for a request."""
    async with a_house(folder / "data") as house:
        video = await house.video(visibility=Visibility.PUBLIC, duration=3600.0)
        bodies = [
            json.dumps({"session": f"s{n % 50}", "video": video.id, "events": events(n // 50)}).encode()
            for n in range(REQUESTS)
        ]
        rounds = []
        for at in range(0, REQUESTS, AT_ONCE):
            begun = time.thread_time()
            statuses = await asyncio.gather(*(post(house, body) for body in bodies[at : at + AT_ONCE]))
            rounds.append((time.thread_time() - begun) / AT_ONCE * 1000)
            assert set(statuses) == {202}
        figure(f"loop's time for a request of {EVENTS} events", "ms", statistics.median(rounds), aim="<= 1")
        begun = time.thread_time()
        folded = await house.host.analytics.folder.catch_up()
        if folded:
            figure("loop's time for folding an event", "µs", (time.thread_time() - begun) / folded * 1e6)
        await delivery(house, video)


async def post(house: House, body: bytes) -> int:
    """One request as the server hands it to the door."""
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = [(b"host", b"site.test"), (b"content-type", b"text/plain"), (b"user-agent", b"Mozilla/5.0 (X11; Linux)")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/api/v1/events", "raw_path": b"/api/v1/events", "root_path": "", "query_string": b"",
        "headers": [*headers, (b"content-length", b"%d" % len(body))], "client": ("127.0.0.1", 1), "server": ("s", 80),
        "extensions": {}, "state": {},
    }  # fmt: skip
    await house.door(scope, receive, send)
    return status


async def delivery(house: House, video: Video) -> None:
    """Processor time of the delivery path for a segment from memory: not looking for CMCD, looking, and finding it."""
    host = house.host
    key = package_prefix(video.id, video.package_id) + SEGMENT  # type: ignore[arg-type]
    await host.storage.put_bytes(key, b"x" * SEGMENT_BYTES)
    text, _ = host.grants.issue(video.id, video.package_id, "benchsession00001")  # type: ignore[arg-type]
    heard: list[object] = []
    deaf = Delivery(host.grants, host.storage)
    listens = Delivery(host.grants, host.storage, hears=hears(heard.append, host.clock))
    plain = [(b"host", b"site.test"), (b"user-agent", b"Mozilla/5.0"), *((b"x-%d" % n, b"y") for n in range(8))]

    async def send(_message: Message) -> None:
        return None

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def each(path: Delivery, headers: list[tuple[bytes, bytes]], query: bytes = b"") -> float:
        scope: Scope = {
            "type": "http", "method": "GET", "path": f"/s/{text}/{video.id}/{SEGMENT}", "headers": headers,
            "query_string": query, "extensions": {"http.response.pathsend": {}},
        }  # fmt: skip
        begun = time.thread_time()
        for _ in range(REQUESTS):
            await path(scope, receive, send)
        return (time.thread_time() - begun) / REQUESTS * 1e6

    rounds: dict[str, list[float]] = {"deaf": [], "silent": [], "query": []}
    await each(deaf, plain)  # it is in memory from then on
    await each(listens, plain)
    for _ in range(ROUNDS):
        rounds["deaf"].append(await each(deaf, plain))
        rounds["silent"].append(await each(listens, plain))
        rounds["query"].append(await each(listens, plain, b"CMCD=" + CMCD.replace(b"=", b"%3D").replace(b",", b"%2C")))
    deaf_, silent, query = (statistics.median(rounds[name]) for name in ("deaf", "silent", "query"))
    figure("a segment more, for looking whether there is CMCD", "µs", silent - deaf_, aim="<= 1")
    figure("a segment more, for taking CMCD along", "µs", query - deaf_, aim="<= 10")


async def minute(folder: Path) -> None:
    """Segments with and without viewers who report, on a real server."""
    server = RunningServer(folder / "site").start()
    try:
        server.add_user("alice@example.org")
        alice = server.client("alice@example.org")
        video = alice.upload(copied_clip(), title="Watched", visibility="public")
        alice.wait_until(video, "ready")
        root = alice.stream(video)["hls"].removesuffix("master.m3u8")
        playlist = httpx.get(f"{server.url}{root}master.m3u8").text
        folder_name = next(line for line in playlist.splitlines() if line and line[0] != "#").partition("/")[0]
        segment = f"{server.url}{root}{folder_name}/0.m4s"
        quiet: list[float] = []
        busy: list[float] = []
        answers: list[float] = []
        # By turns, so that whatever else the machine does weighs on both; viewers in a process of their own.
        for _ in range(TURNS):
            quiet += await latencies(segment, SECONDS / TURNS / 2)
            with ProcessPoolExecutor(1, get_context("spawn")) as others:
                reporting = others.submit(report_for, server.url, video, SECONDS / TURNS)
                busy += await latencies(segment, SECONDS / TURNS)
                answers.extend(await asyncio.to_thread(reporting.result))
        sent = len(answers) * EVENTS
        with closing(sqlite3.connect(folder / "site" / CATALOG)) as catalog:
            kept = catalog.execute("SELECT COUNT(*) FROM playback_events").fetchone()[0]
        figure("segment, median, while 20 viewers report", "ms", median(busy), round(median(quiet), 3), "<= 1.25x")
        figure("segment, 95 of 100", "ms", p95(busy), round(p95(quiet), 3), "<= 1.5x")
        figure("report until it is on disk, 95 of 100", "ms", p95(answers))
        figure(f"events sent in {SECONDS} s", "events", sent)
        figure("events that were lost", "events", sent - kept, aim="<= 0")
    finally:
        server.stop()


def median(times: list[float]) -> float:
    """Milliseconds."""
    return statistics.median(times) * 1000


def p95(times: list[float]) -> float:
    """Milliseconds that 95 of 100 stay below."""
    return sorted(times)[int(len(times) * 0.95)] * 1000


async def latencies(segment: str, seconds: float) -> list[float]:
    """A segment fetched again and again."""
    times = []
    async with httpx.AsyncClient() as client:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            begun = time.perf_counter()
            (await client.get(segment)).raise_for_status()
            times.append(time.perf_counter() - begun)
            await asyncio.sleep(0.02)
    return times


def report_for(url: str, video: str, seconds: float) -> list[float]:
    """Twenty viewers that report every second for so long; how long each report took until it was acknowledged."""
    return asyncio.run(viewers(url, video, seconds))


async def viewers(url: str, video: str, seconds: float) -> list[float]:
    """The same."""
    answers: list[float] = []
    end = time.perf_counter() + seconds

    async def one(client: httpx.AsyncClient, after: float) -> None:
        await asyncio.sleep(after)
        session, number = new_id(), 0
        while (begun := time.perf_counter()) < end:
            answer = await client.post(
                "/api/v1/events", json={"session": session, "video": video, "events": events(number)}
            )
            assert answer.status_code == 202, answer.text
            answers.append(time.perf_counter() - begun)
            number += 1
            await asyncio.sleep(max(0, 1 - (time.perf_counter() - begun)))

    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await asyncio.gather(*(one(client, n / VIEWERS) for n in range(VIEWERS)))
    return answers


def main() -> None:
    """Measure and print one JSON line for each figure."""
    with TemporaryDirectory() as folder:
        asyncio.run(loop_time(Path(folder)))
        asyncio.run(minute(Path(folder)))


if __name__ == "__main__":
    main()
