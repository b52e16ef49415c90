"""Recommendations: how good the model is on ML-100K, how long answers take on a large site, how long training takes.

`python tests/benchmarks/bench_recommend.py [ML-100K .inter file] [--full]`. The data set is inside the wheel of the
package `recbole` (`recbole/dataset_example/ml-100k/ml-100k.inter`); where it is not given, those figures are left out.
`--full`: train on 20,000 videos, 200,000 viewers and 10 million views too, which takes minutes and some gigabytes.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamhost.config import load
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.ml.recommending import ease, onnx_file, train_child
from streamhost.ml.recommending.table import Table, table
from streamhost.ml.recommending.work import Evaluate, Fitting
from streamhost.model.accounts import ANONYMOUS, Role

VIDEOS, VIEWERS, VIEWS = 100_000, 50_000, 1_000_000
FULL = (20_000, 200_000, 10_000_000)
COLD = 150
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
        found = train_child.evaluate(Evaluate(way, str(path), fitting=Fitting(fewest=1)), lambda _share, _step: None)
        by_name = {one.name: one for one in found["figures"]}
        for name, one in by_name.items():
            aim = ">= 0.33" if (way, name) == ("random", "model") else None
            peer = RECBOLE.get(name) if way == "random" else None
            figure(f"ML-100K, {way} split, NDCG@10 of {name} (± {one.ndcg_error:.4f})", one.ndcg, "NDCG", aim, peer)


async def large(folder: Path) -> Host:
    """A site with many videos and views, a model, and the watch graph of some of it."""
    host = await assemble(load(folder, {}, recommendations__patience=5.0), open_instance(folder), lambda: NOW)
    owner = await host.accounts.people.add("a@example.org", "correct horse battery", "A", Role.CREATOR, verified=True)
    users, items = views(VIDEOS, VIEWERS, VIEWS)
    with sqlite3.connect(folder / "catalog.sqlite3") as conn:
        conn.executemany(
            "INSERT INTO videos (id, owner_id, title, tags, visibility, protection, state, playable, created_at, "
            "updated_at, published_at) VALUES (?, ?, ?, ?, 'public', 'none', 'ready', 1, ?, ?, ?)",
            (
                (
                    f"v{n}",
                    owner.id,
                    f"Film {n % 997} of {n % 50}",
                    json.dumps([f"topic{n % 50}"]),
                    NOW - n,
                    NOW,
                    NOW - n,
                )
                for n in range(VIDEOS)
            ),
        )
        conn.executemany(
            "INSERT OR IGNORE INTO interactions (viewer, video_id, watched, completed, first_at, last_at) "
            "VALUES (?, ?, 1.0, 1, ?, ?)",
            (
                (f"u:{user}", f"v{item}", NOW - place, NOW - place)
                for place, (user, item) in enumerate(zip(users.tolist(), items.tolist(), strict=True))
            ),
        )
    conn.close()
    began = time.monotonic()
    await host.recommending.keeping.catch_up(40, lambda _share, _step: None)
    figure("nodes of the watch graph made anew", 1000 / (time.monotonic() - began), "nodes/s")
    trained = await host.recommending.learning.train(lambda _share, _step: None)
    figure(f"training on {trained.videos} videos and {trained.watched} views", trained.seconds, "s")
    assert await host.recommending.server.ready()
    return host


async def latency() -> None:
    """How long lists take: worked out anew, and kept."""
    with tempfile.TemporaryDirectory() as folder:
        host = await large(Path(folder))
        room = host.recommending.room
        times: dict[str, list[float]] = {"cold": [], "cached": []}
        for number in range(COLD):
            for kind in ("cold", "cached"):
                began = time.perf_counter()
                found = await room.recommend(ANONYMOUS, f"u:{number * 7}", 24)
                times[kind].append(1000 * (time.perf_counter() - began))
                assert found.cached is (kind == "cached")
                assert found.items
        for kind, aim in (("cold", "<= 50"), ("cached", "<= 5")):
            p95 = sorted(times[kind])[int(0.95 * len(times[kind]))]
            figure(f"95 % of lists, {kind}, within, with {VIDEOS} videos and {VIEWS} views", p95, "ms", aim)
        await host.recommending.close()
        await host.close()


def full() -> None:
    """Training at the size that it is made for."""
    videos, viewers, count = FULL
    users, items = views(videos, viewers, count)
    data: Table = table(users, items, np.ones(count, np.float32), np.arange(count, dtype=np.float64), viewers, videos)
    began = time.monotonic()
    model = ease.fit(data, ease.Options(ridge=500.0), lambda _share, _step: None)
    size = len(onnx_file.written(model, {}))
    figure(f"training on {videos} videos, {viewers} viewers, {len(data)} views", time.monotonic() - began, "s")
    figure("memory of that", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, "GiB", "<= 8")
    figure("file of that model", size / 1e6, "MB")


def main() -> None:
    """Run what can be run, print the figures."""
    given = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    for path in given:
        quality(path)
    asyncio.run(latency())
    if "--full" in sys.argv:
        full()


if __name__ == "__main__":
    main()
