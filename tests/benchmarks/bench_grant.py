"""What the check of a grant costs: seen before, seen for the first time, and refused.

    .venv/bin/python tests/benchmarks/bench_grant.py

In one process, without a network: only what our own code does for a request before the file is looked at. The middle of
several rounds.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from streamhost.features.streams import Streams
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants, InvalidGrant
from streamhost.model.ids import PackageId, SessionId, UserId, VideoId, new_id
from streamhost.server.delivery import Delivery
from streamhost.storage.local import LocalStorage

VIDEO, PACKAGE = VideoId("benchvideo000001"), PackageId("benchpackage0001")
CHECKS = 20_000
ROUNDS = 7
AIM = "<= 20"


def each(work: Callable[[int], object], checks: int = CHECKS) -> float:
    """Microseconds for one of many, the median of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for number in range(checks):
            work(number)
        rounds.append((time.perf_counter() - begin) / checks * 1e6)
    return statistics.median(rounds)


def main() -> None:
    """Measure and print one JSON line for each figure."""
    grants = Grants({1: b"k" * 32, 2: b"o" * 32}, system_clock, 3600)
    texts = [
        grants.issue(VIDEO, PACKAGE, SessionId(new_id()), UserId(new_id()), origin="https://blog.example")[0]
        for _ in range(CHECKS)
    ]
    # Something is always revoked on a real site, so that the look is not left out.
    for _ in range(100):
        grants.revocations.revoke(SessionId(new_id()))
    _, used = grants.issue(VIDEO, PACKAGE, SessionId(new_id()), UserId(new_id()))
    with TemporaryDirectory() as folder:
        delivery = Delivery(grants, LocalStorage(Path(folder)))
        paths = [f"/s/{text}/{VIDEO}/v720/0.m4s" for text in texts]
        streams = Streams(None, system_clock, grants, 2)  # type: ignore[arg-type]  # it asks no catalog here
        figures = {
            "grant check, seen before": each(lambda _: grants.still_good(used)),
            "grant check, first time": each(lambda number: grants.check(texts[number], VIDEO)),
            "address resolved, first time": each(lambda number: delivery._resolve(paths[number])),
            "stream counted": each(lambda _: streams.used(used)),
            "grant refused": each(lambda number: _refused(grants, texts[number])),
        }
    for name, ours in figures.items():
        print(json.dumps({"name": name, "ours": round(ours, 2), "peer": None, "ratio": None, "unit": "µs", "aim": AIM}))


def _refused(grants: Grants, text: str) -> None:
    try:
        grants.check(text[:-2] + "AA", VIDEO)
    except InvalidGrant:
        return


if __name__ == "__main__":
    main()
