"""What screening costs beside transcoding, through the real server with the real models; and the model of words.

    .venv/bin/python tests/benchmarks/bench_moderation.py [minutes] [folder]

A film of ten minutes of 720p (Big Buck Bunny again and again) is uploaded to a site that looks first: how long it is
made, and how long models then look at it, on the clock and in processor time of all processes. With `FULL=1` in the
environment the harmless clips of `datasets.py` are uploaded as well, else those of a folder if one is named, and what
would have been decided at several lines is listed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import onnxruntime
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.ml.manifest import read  # noqa: E402 -- after the path to the tests
from streamhost.ml.session import Session  # noqa: E402 -- likewise
from streamhost.ml.texts import TextScorer  # noqa: E402 -- likewise
from streamhost.model.moderation import Aspect, Findings, FrameScores, Score  # noqa: E402 -- likewise
from streamhost.model.verdicts import Decision, Lines, Policy, Profile, decide  # noqa: E402 -- likewise
from tests.benchmarks.datasets import harmless_clips  # noqa: E402 -- likewise
from tests.support.models import lend  # noqa: E402 -- likewise
from tests.support.server import Api, RunningServer  # noqa: E402 -- likewise
from tests.unit.media.content import big_buck_bunny, looped  # noqa: E402 -- likewise

MANIFEST = ROOT / "src" / "streamhost" / "ml" / "manifests" / "toxicity-en.toml"
TWEETS = ROOT / "tests" / "fixtures" / "texts" / "tweets.jsonl"
LOOK_EVERY = 0.2
PATIENCE = 1700.0
MEDIUM_LINES = (0.35, 0.5, 0.7, 0.85)
PICTURES = (Aspect.NUDITY, Aspect.GORE)


def figure(name: str, ours: float, unit: str, aim: str = "", peer: float | None = None) -> None:
    """Print one figure, and its ratio to a peer's."""
    ratio = round(ours / peer, 3) if peer else None
    words = {"name": name, "ours": round(ours, 3), "peer": peer and round(peer, 3), "ratio": ratio, "unit": unit}
    print(json.dumps(words | ({"aim": aim} if aim else {})), flush=True)


def words() -> None:
    """The model of words: its size, how long it takes, and how well it tells tweets apart that it has not seen."""
    manifest = read(MANIFEST)
    assert manifest.text is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = MANIFEST.with_suffix(".onnx").read_bytes()
    session, name = Session(onnxruntime.InferenceSession(content, options), manifest), manifest.text.name
    by = TextScorer(lambda rows: session.run({name: rows}), manifest.text.slots, 1, manifest.counts[0].medium)
    rows = [json.loads(line) for line in TWEETS.read_text("utf-8").splitlines()]
    by.score(rows[0]["text"])
    began = time.process_time()
    scores = [by.score(row["text"])[0][0] for row in rows]
    spent = time.process_time() - began
    bad = [score for score, row in zip(scores, rows, strict=True) if row["toxic"]]
    good = [score for score, row in zip(scores, rows, strict=True) if not row["toxic"]]
    wins = [(b > g) + (b == g) / 2 for b, g in product(bad, good)]
    figure("the model of words: size", len(content) / 1e6, "MB", "<= 3")
    figure("the model of words: processor time a text", spent / len(rows) * 1000, "ms", "<= 0.3")
    figure("the model of words: AUC on tweets that it has not seen", sum(wins) / len(wins), "", ">= 0.84")


@dataclass(slots=True)
class Spent:
    """What all processes of a server have used, also those that are over: looked at again and again."""

    server: psutil.Process
    known: dict[tuple[int, float], float] = field(default_factory=dict)

    def seconds(self) -> float:
        """Processor seconds so far."""
        for process in [self.server, *self.server.children(recursive=True)]:
            try:
                used = process.cpu_times()
                self.known[process.pid, process.create_time()] = used.user + used.system
            except psutil.NoSuchProcess:
                continue
        return sum(self.known.values())


def screened(api: Api, video_id: str, spent: Spent) -> tuple[tuple[float, float], tuple[float, float]]:
    """Wait until models have looked; seconds on the clock and of processors for making a video and for that."""
    began, used = time.monotonic(), spent.seconds()
    looked = None
    while True:
        document, now, more = api.video(video_id), time.monotonic(), spent.seconds()
        if looked is None and (document["processing"] or {}).get("step") == "screen":
            looked = (now, more)
        if document["state"] in ("ready", "review", "rejected"):
            assert looked is not None, "it was looked at before anybody could see that"
            return (looked[0] - began, looked[1] - used), (now - looked[0], more - looked[1])
        assert document["state"] != "failed", document["error"]
        assert now - began < PATIENCE, document
        time.sleep(LOOK_EVERY)


def findings_of(timeline: dict[str, Any]) -> Findings:
    """What models found in the pictures of a video, out of its case file."""
    frames = []
    for place, at in enumerate(timeline["at"]):
        scores = [
            Score(aspect, timeline["sure"][aspect][place], timeline["possible"][aspect][place])
            for aspect in PICTURES
            if timeline["possible"].get(aspect, [None])[place] is not None
        ]
        frames.append(FrameScores(at, tuple(scores)))
    return Findings(tuple(frames))


def decided(mia: Api, videos: dict[str, str]) -> None:
    """List what would have been decided about harmless clips at several lines."""
    files = {name: mia.get(f"/api/v1/moderation/{one}").raise_for_status().json() for name, one in videos.items()}
    found = {name: findings_of(file["timeline"]) for name, file in files.items()}
    frames = sum(len(one.frames) for one in found.values())
    print(f"{len(found)} harmless clips, {frames} frames that were screened")
    for name, file in files.items():
        verdict = file["verdict"]
        tops = {one["aspect"]: one["score"] for one in verdict["looked"] if one["score"] is not None}
        print(f"  {name}: {verdict['decision']}, {len(found[name].frames)} frames, {tops}")
    for line in MEDIUM_LINES:
        lines = {aspect: Lines(line, 0.7, 3) for aspect in PICTURES}
        policy = Policy(Profile.COMMUNITY, lines, ignored=frozenset(Aspect) - set(PICTURES))
        said = [decide(one, policy, PICTURES).decision for one in found.values()]
        counts = {decision.value: said.count(decision) for decision in Decision}
        figure(f"harmless clips held at a medium line of {line}", counts["review"] + counts["reject"], "clips")
        print(f"  at {line}: {counts}")


def pictures(minutes: float, clips: Sequence[Path]) -> None:
    """A long film and perhaps many short ones through the real server."""
    with tempfile.TemporaryDirectory(prefix="bench-moderation-") as folder:
        film = looped(big_buck_bunny(), Path(folder) / "film.mp4", minutes * 60)
        data = Path(folder) / "data"
        lend(data)
        settings = {"moderation_profile": "community", "limits_enabled": "false", "jobs_child_nice": "0"}
        server = RunningServer(data, **{f"STREAMHOST_{name.upper()}": value for name, value in settings.items()})
        server.start()
        try:
            for who, role in (("alice", "creator"), ("mia", "moderator")):
                server.add_user(f"{who}@example.org", role)
            alice, mia = server.client("alice@example.org"), server.client("mia@example.org")
            spent = Spent(psutil.Process(server.process.pid))
            if minutes:
                made, looked = screened(alice, alice.upload(film, title="A film", visibility="public"), spent)
                figure(f"{minutes:g} minutes of 720p: screened, against being made", looked[0], "s", "<= 1x", made[0])
                figure("the same in processor time", looked[1], "s", "", made[1])
            videos = {one.name: alice.upload(one, title="A clip", visibility="public") for one in clips}
            for one in videos.values():
                alice.wait_until(one, "ready", "review", "rejected", seconds=PATIENCE)
            if videos:
                decided(mia, videos)
        finally:
            server.stop()


def main() -> None:
    """Print the figures."""
    words()
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    found = sorted(folder.iterdir()) if folder else harmless_clips() if os.environ.get("FULL") else []
    pictures(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, found)


if __name__ == "__main__":
    main()
