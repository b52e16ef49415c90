"""Recommendations: how good the model is on ML-100K, how long answers take on a large site, how long training takes.

`make bench ONLY=recommend`, or `python tests/benchmarks/bench_recommend.py`. The data set is downloaded once; where
that is not possible, its figures are left out. With `FULL=1` in the environment a site with 20,000 videos, 200,000
viewers and 10 million views is trained too, which takes some minutes, gigabytes of memory, and two of disk; with
`THREADS=1` by one thread. `compare_recommenders.py` beside this file compares kinds of models.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from streamhost.config import load
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.ml.recommending import train_child
from streamhost.ml.recommending.work import Evaluate, Fitting
from streamhost.model.accounts import Role
from streamhost.model.ids import UserId, VideoId
from streamhost.model.recommendations import MOST_SEEN, Profile, Seen
from streamhost.server.app import create_app
from streamhost.server.door import ASGIApp, Message
from streamhost.server.recommendations import ROW

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.datasets import NoDataset, ml_100k

VIDEOS, VIEWERS, VIEWS = 100_000, 50_000, 1_000_000
FULL = (20_000, 200_000, 10_000_000)
COLD, EVERY = 150, 7
"""People whose lists are asked for: every so many of the viewers that watch most."""
PASSWORD = "correct horse battery"
NOW = time.time()
RECBOLE = {"model": 0.2768, "popularity": 0.1405}
"""RecBole's published figure for BPR, and popularity as measured with it, at the random split."""


def figure(name: str, ours: float, unit: str, aim: str | None = None, peer: float | None = None) -> None:
    """One line for the collection."""
    ratio = round(ours / peer, 2) if peer else None
    line = {
        "name": f"recommend: {name}",
        "ours": round(ours, 4),
        "peer": peer,
        "ratio": ratio,
        "unit": unit,
        "aim": aim,
    }
    print(json.dumps(line), flush=True)


def views(videos: int, viewers: int, count: int, seed: int = 3) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Who watched what: popular videos and active viewers more, each with a taste for a part of all."""
    lot = np.random.default_rng(seed)
    users = (viewers * lot.random(count) ** 1.7).astype(np.int64)
    rank = (videos * lot.random(count) ** 2.5).astype(np.int64)
    taste = users % 50
    near = lot.random(count) < 0.7
    items = np.where(near, (rank // 50 * 50 + taste) % videos, rank)
    return users, items


def quality(path: Path) -> None:
    """The figures on ML-100K, in three ways."""
    for way in ("random", "last", "time"):
        found = train_child.evaluate(Evaluate(way, str(path), fitting=Fitting(fewest=1)), quiet)
        by_name = {one.name: one for one in found["figures"]}
        for name, one in by_name.items():
            aim = ">= 0.33" if (way, name) == ("random", "model") else None
            peer = RECBOLE.get(name) if way == "random" else None
            figure(f"ML-100K, {way} split, NDCG@10 of {name} (± {one.ndcg_error:.4f})", one.ndcg, "NDCG", aim, peer)


def quiet(_share: float, _step: str) -> None:
    """Nobody wants to know how far it is."""


async def opened(folder: Path) -> tuple[Host, UserId]:
    """A house, and somebody whose videos are in it."""
    quick = {"accounts__argon2_memory_kib": 8192, "accounts__argon2_rounds": 1, "limits__enabled": False}
    threads = int(os.environ.get("THREADS", "0"))
    settings = load(folder, {}, recommendations__patience=5.0, jobs__media_workers=threads, **quick)
    host = await assemble(settings, open_instance(folder), lambda: NOW)
    return host, await person(host, "owner", Role.CREATOR)


async def person(host: Host, name: str, role: Role) -> UserId:
    """Somebody with an account."""
    return (await host.accounts.people.add(f"{name}@example.org", PASSWORD, name, role, verified=True)).id


def fill(
    folder: Path, owner: UserId, videos: int, interactions: Iterable[tuple[str, str, float]], *, bare: bool = False
) -> None:
    """Have these viewers watch these videos at these times. `bare`: without what the catalog keeps beside that for
    other purposes than training."""
    with closing(sqlite3.connect(folder / "catalog.sqlite3")) as conn, conn:
        if bare:
            sql = (
                "SELECT type, name FROM sqlite_master WHERE tbl_name = 'interactions' AND type <> 'table' AND sql > ''"
            )
            for kind, name in conn.execute(sql).fetchall():
                conn.execute(f"DROP {kind} {name}")
        films = ((f"v{n}", owner, f"Film {n % 997} of {n % 50}", f'["topic{n % 50}"]', NOW - n) for n in range(videos))
        conn.executemany(
            "INSERT INTO videos (id, owner_id, title, tags, visibility, protection, state, playable, created_at, "
            "updated_at, published_at) VALUES (?1, ?2, ?3, ?4, 'public', 'none', 'ready', 1, ?5, ?5, ?5)",
            films,
        )
        conn.executemany(
            "INSERT OR IGNORE INTO interactions (viewer, video_id, watched, completed, first_at, last_at) "
            "VALUES (?1, ?2, 1.0, 1, ?3, ?3)",
            interactions,
        )


async def large(folder: Path) -> tuple[Host, list[UserId]]:
    """A site with many videos and views, a model, and the watch graph of some of it; and some who watch much."""
    host, owner = await opened(folder)
    people = {number * EVERY: await person(host, f"viewer{number}", Role.VIEWER) for number in range(COLD)}
    pairs = zip(*(one.tolist() for one in views(VIDEOS, VIEWERS, VIEWS)), strict=True)
    watched = ((f"u:{people.get(user, user)}", f"v{item}", NOW - n) for n, (user, item) in enumerate(pairs))
    fill(folder, owner, VIDEOS, watched)
    began = time.monotonic()
    await host.recommending.keeping.catch_up(40, quiet)
    figure("nodes of the watch graph made anew", 1000 / (time.monotonic() - began), "nodes/s")
    trained = await host.recommending.learning.train(quiet)
    figure(f"training on {trained.videos} videos and {trained.watched} views", trained.seconds, "s")
    assert await host.recommending.server.ready()
    return host, list(people.values())


async def latency() -> None:
    """How long `GET /recommendations` takes, the application included: worked out anew, and kept."""
    with tempfile.TemporaryDirectory() as folder:
        host, people = await large(Path(folder))
        app = cast(ASGIApp, create_app(host))
        times: dict[str, list[float]] = {"cold": [], "cached": []}
        for number in range(len(people)):
            token = (await host.accounts.login(f"viewer{number}@example.org", PASSWORD)).access_token
            for kind in times:
                began = time.perf_counter()
                found = json.loads(await ask(app, "/api/v1/recommendations", token))
                times[kind].append(1000 * (time.perf_counter() - began))
                assert found["cached"] is (kind == "cached")
                assert len(found["items"]) == ROW
        for kind, aim in (("cold", "<= 50"), ("cached", "<= 5")):
            p95 = sorted(times[kind])[int(0.95 * len(times[kind]))]
            name = f"95 % of GET /recommendations, {kind}, within, with {VIDEOS} videos and {VIEWS} views"
            figure(name, p95, "ms", aim)
        await host.recommending.close()
        await host.close()


async def ask(app: ASGIApp, path: str, token: str) -> bytes:
    """One request as the server hands it to the application; raises for answers other than 200."""
    body = b""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal body
        assert message.get("status", 200) == 200, message
        body += message.get("body", b"")

    headers = [(b"host", b"site.test"), (b"authorization", f"Bearer {token}".encode()), (b"accept", b"*/*")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("s", 80), "extensions": {}, "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return body


def in_order(videos: int, viewers: int, count: int) -> Iterator[tuple[str, str, float]]:
    """The views viewer by viewer, as the catalog keeps them, so that ten million are written quickly."""
    users, items = views(videos, viewers, int(1.2 * count))
    lot = np.random.default_rng(1)
    pairs = np.unique(users * videos + items)  # some watch a video twice: that counts once
    pairs = np.sort(lot.choice(pairs, count, replace=False))
    times = NOW - 100 * 86400 * lot.random(count)
    return (
        (f"u:{pair // videos:06}", f"v{pair % videos}", at) for pair, at in zip(map(int, pairs), times, strict=True)
    )


async def full() -> None:
    """Training at the size that it is made for, from the catalog to the process that answers."""
    videos, viewers, count = FULL
    with tempfile.TemporaryDirectory() as folder:
        host, owner = await opened(Path(folder))
        fill(Path(folder), owner, videos, in_order(videos, viewers, count), bare=True)
        learning, server = host.recommending.learning, host.recommending.server
        began = time.monotonic()
        trained = await learning.train(quiet)
        whole = time.monotonic() - began
        name = f"training on {trained.videos} videos, {trained.viewers} viewers, {trained.watched} views"
        figure(name, trained.seconds, "s", "<= 600")
        figure("writing out for that what was watched", whole - trained.seconds, "s")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
        figure("memory of the process that trains", peak, "GiB", "<= 8")
        figure("file of that model", learning.model.stat().st_size / 1e6, "MB")
        assert await server.ready()
        lot = np.random.default_rng(2)
        source = host.recommending.sources["model"]
        times = []
        for _ in range(COLD):
            seen = tuple(Seen(VideoId(f"v{n}"), 1.0, NOW) for n in lot.choice(videos, MOST_SEEN, replace=False))
            began = time.perf_counter()
            assert await source.recommend(Profile("u:1", seen), MOST_SEEN)
            times.append(1000 * (time.perf_counter() - began))
        figure(
            f"95 % of its answers to somebody who watched {MOST_SEEN}, within", sorted(times)[int(0.95 * COLD)], "ms"
        )
        assert server._process is not None
        status = Path(f"/proc/{server._process._process.pid}/status").read_text()
        held = re.search(r"VmHWM:\s*(\d+)", status)
        figure("memory of the process that answers", int(held[1]) / 1024 if held else 0.0, "MiB")
        await host.recommending.close()
        await host.close()


def main() -> None:
    """Run what can be run, print the figures."""
    try:
        quality(ml_100k())
    except NoDataset as error:
        print(f"Without the figures on ML-100K: {error}", file=sys.stderr)
    asyncio.run(latency())
    if os.environ.get("FULL"):
        asyncio.run(full())


if __name__ == "__main__":
    main()
