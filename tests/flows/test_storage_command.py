"""`streamhost storage`: move everything into a bucket and back while the site runs, and compare it with the catalog."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.cli.doctor import services
from streamhost.storage.s3 import S3Storage
from streamhost.testing import clips
from tests.support.catalogs import instance_at
from tests.support.command import document, run
from tests.support.ports import free_port
from tests.support.s3 import S3Server, s3_server
from tests.support.server import Api, RunningServer, clean_environment, until
from tests.support.tree import at_rest, sizes

OLD = 2 * 86400


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[S3Server]:
    """A real S3 server, whose objects no page may read unless rules allow it."""
    with s3_server("-s3.allowedOrigins=http://nobody.example") as server:
        yield server


@dataclass
class Site:
    """A running site with one public video, and the settings that it was started with."""

    server: RunningServer
    bucket: S3Server
    video: str

    def configure(self, backend: str) -> None:
        """Restart it with new media going somewhere else."""
        self.server.stop()
        self.server._settings = self.bucket.settings("moved", STREAMHOST_STORAGE_BACKEND=backend)
        self.server.restart()

    def command(self, *words: str, status: int = 0) -> Any:
        """The JSON that `streamhost storage` prints."""
        ended = run("storage", *words, "--json", "--data", str(self.server.data), env=self.server._settings)
        assert ended.exit_code == status, ended.output
        return json.loads(ended.stdout) if ended.stdout else None

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `streamhost storage` in a process of its own."""
        command = [sys.executable, "-m", "streamhost", "storage", *words, "--json", "--data", str(self.server.data)]
        return subprocess.Popen(
            command,
            env=clean_environment(**self.server._settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def api(self) -> Api:
        """Alice."""
        return self.server.client("alice@example.org")

    def plays(self) -> None:
        """The first segment of the video can be had by whoever watches it."""
        stream = httpx.get(f"{self.server.url}/api/v1/stream/{self.video}").json()
        master = httpx.get(str(httpx.URL(self.server.url).join(stream["hls"])))
        assert master.status_code == 200
        playlist = master.url.join(next(line for line in master.text.splitlines() if line and line[0] != "#"))
        text = httpx.get(playlist).text
        segment = playlist.join(next(line for line in text.splitlines() if line and line[0] != "#"))
        answer = httpx.get(segment)
        assert (answer.status_code, answer.content[4:8]) == (200, b"styp")

    def stored(self) -> dict[str, int]:
        """What lies in the bucket."""

        async def listed() -> dict[str, int]:
            return {one.key: one.size async for one in S3Storage(self.bucket.bucket("moved")).list()}

        return asyncio.run(listed())

    def on_disk(self) -> dict[str, int]:
        """What lies in the data directory."""
        return sizes(self.server.data / "media")


@pytest.fixture(scope="module")
def site(bucket_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site keeps its media on disk at first."""
    folder = tmp_path_factory.mktemp("site")
    server = RunningServer(folder / "data").start()
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    video = alice.upload(clips.make(folder / "a.mp4", clips.Clip(seconds=3)), visibility="public", title="Moved")
    alice.wait_until(video, "ready")
    at_rest(server.data)
    yield Site(server, bucket_server, video)
    server.stop()


def test_usage(site: Site) -> None:
    """What every video, and every owner, has stored adds up to what lies on the disk."""
    [row] = site.command("usage")
    disk = site.on_disk()
    assert (row["id"], row["owner"], row["bytes"]) == (site.video, "alice@example.org", sum(disk.values()))
    assert row["source"] == sum(size for key, size in disk.items() if "/source/" in key)
    assert row["source"] + row["streams"] + row["other"] == row["bytes"]
    [owner] = site.command("usage", "--by", "owner")
    assert (owner["videos"], owner["bytes"]) == (1, row["bytes"])


def test_fsck(site: Site) -> None:
    """Nothing is wrong with a fresh site; then an orphan and a loss are found, and only an old orphan is removed."""
    found = site.command("fsck")
    assert (found["orphans"], found["losses"], found["objects"]) == ([], [], len(site.on_disk()))
    media = site.server.data / "media"
    segment = next((media / f"videos/{site.video}").rglob("*.m4s"))
    kept, orphan, fresh = (
        segment.with_suffix(".kept"),
        media / "videos/gone/package/0.m4s",
        media / "videos/new/p/0.m4s",
    )
    for path in (orphan, fresh):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"nobody's")
    os.utime(orphan, (time.time() - OLD,) * 2)
    shutil.copy2(segment, site.server.data / kept.name)
    segment.write_bytes(b"torn")
    found = site.command("fsck", status=1)
    assert [one["key"] for one in found["orphans"]] == ["videos/gone/package/0.m4s"]
    [loss] = found["losses"]
    assert (loss["key"], loss["video_id"], loss["found"]) == (str(segment.relative_to(media)), site.video, 4)
    segment.unlink()
    [loss] = site.command("fsck", "--repair", status=1)["losses"]
    assert loss["found"] is None
    assert not orphan.exists() and fresh.exists()
    shutil.move(site.server.data / kept.name, segment)
    shutil.rmtree(fresh.parents[1])
    assert site.command("fsck")["losses"] == []


@pytest.mark.slow
def test_move_there_and_back(site: Site) -> None:
    """Into the bucket, killed in the middle, and on; then back again. The video plays at every moment, new ones go to
    the new place, and afterwards nothing is left in the old one."""
    before = site.on_disk()
    site.command("move", "--to", "s3", status=1)
    site.configure("s3")
    site.plays()
    clip = clips.make(site.server.data.parent / "b.mp4", clips.Clip(seconds=1))
    other = site.api().upload(clip, visibility="public", title="New")
    site.api().wait_until(other, "ready")
    assert site.on_disk() == before
    assert all(other in key for key in site.stored())

    process = site.begin("move", "--to", "s3")
    until(lambda: not before.keys() <= site.on_disk().keys() or process.poll() is not None)
    process.kill()
    process.wait()
    site.plays()
    site.command("move", "--to", "s3")
    site.plays()
    assert site.on_disk() == {}
    assert before.items() <= site.stored().items()
    assert not (site.server.data / "moving").exists()
    assert site.command("fsck")["losses"] == []

    assert site.api().delete(f"/api/v1/videos/{other}").status_code == 204
    until(lambda: not any(other in key for key in site.stored()))
    site.configure("local")
    site.plays()
    assert site.command("move", "--to", "local")["objects"] == len(before)
    site.plays()
    assert (site.on_disk(), site.stored()) == (before, {})


def checked(data: Path, settings: dict[str, str], status: int) -> list[dict[str, Any]]:
    """The steps that `streamhost storage check` tries."""
    ended = run("storage", "check", "--json", "--data", str(data), env=settings)
    assert "not the secret" not in ended.stdout + ended.stderr
    steps: list[dict[str, Any]] = document(ended, status)["steps"]
    return steps


def test_check(bucket_server: S3Server, tmp_path: Path) -> None:
    """Every step works on a bucket and on this disk, but for the rules of browsers until they are set; a wrong key is
    named by the setting to correct. Nothing stays behind."""
    settings = bucket_server.settings("checked", STREAMHOST_STORAGE_DELIVERY="redirect")
    failed = {one["name"]: one for one in checked(tmp_path, settings, 1) if not one["ok"]}
    assert set(failed) == {"cors"}
    assert "CORS" in failed["cors"]["hint"]
    bucket_server.allow_origins("*")
    works = {one["name"] for one in checked(tmp_path, settings, 0) if one["ok"]}
    assert {"write", "read", "range", "list", "multipart", "clock", "signed", "cors", "delete"} <= works
    first = checked(tmp_path, settings | {"STREAMHOST_STORAGE_S3_SECRET_ACCESS_KEY": "not the secret"}, 1)[0]
    assert (first["name"], first["ok"]) == ("write", False)
    assert "s3_secret_access_key" in first["hint"]
    assert all(one["ok"] for one in checked(tmp_path, {}, 0))


def test_the_doctor_about_buckets(bucket_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line where all is well; else a line for each cause and none for what follows from it, with the setting to
    correct: a wrong secret, a bucket that is not there, a server that is not, rules that keep pages out."""
    monkeypatch.setattr("streamhost.cli.doctor.MACHINE", ())
    monkeypatch.setattr("streamhost.cli.doctor.SITE", (services.storage,))
    instance_at(tmp_path)

    def lines(code: int, **wrong: str) -> list[dict[str, str]]:
        given = bucket_server.settings("examined", **{f"STREAMHOST_STORAGE_{name}": wrong[name] for name in wrong})
        ended = run("doctor", "--json", "--data", str(tmp_path), env=given)
        assert "not the secret" not in ended.output
        found: list[dict[str, str]] = document(ended, code)["lines"]
        return found

    [well] = lines(0)
    assert (well["name"], well["level"]) == ("storage", "ok") and well["detail"].startswith("s3: ")
    for wrong, hint in (
        ({"S3_SECRET_ACCESS_KEY": "not the secret"}, "s3_secret_access_key"),
        ({"S3_BUCKET": "nobodys"}, "bucket"),
        ({"S3_ENDPOINT": f"http://127.0.0.1:{free_port()}", "S3_TIMEOUT_SECONDS": "1"}, "s3_endpoint"),
    ):
        [line] = lines(1, **wrong)
        assert (line["name"], line["level"]) == ("storage write", "fail")
        assert hint in line["hint"], line
    bucket_server.allow_origins("http://nobody.example")
    [line] = lines(1, DELIVERY="redirect")
    assert (line["name"], line["level"]) == ("storage cors", "fail") and "CORS" in line["hint"]
