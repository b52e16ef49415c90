"""The whole way of a video with all media in a bucket: a real server on a real S3 server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.storage.s3 import S3Storage
from streamhost.testing import clips
from tests.support import waiting
from tests.support.films import film
from tests.support.s3 import S3Server, s3_server
from tests.support.server import Api, RunningServer, until

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[S3Server]:
    """A real S3 server."""
    with s3_server() as server:
        yield server


@pytest.fixture(scope="module")
def site(bucket_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site whose media lies in a folder of the bucket, parts of 5 MiB."""
    data = tmp_path_factory.mktemp("site") / "data"
    running = RunningServer(data, **bucket_server.settings("site", STREAMHOST_STORAGE_S3_PART_BYTES="5242880"))
    running.start()
    running.add_user("alice@example.org")
    yield running
    running.stop()


@pytest.fixture
def alice(site: RunningServer) -> Api:
    """Signed in."""
    return site.client("alice@example.org")


async def stored(server: S3Server, prefix: str = "") -> dict[str, int]:
    """What lies in the site's folder of the bucket: sizes by key."""
    return {one.key: one.size async for one in S3Storage(server.bucket("site")).list(prefix)}


def everything(site: RunningServer, stream: dict[str, Any]) -> list[str]:
    """The addresses of every file that a stream's documents name, each of which was read."""
    captions = [track["url"] for track in stream["captions"]]
    waiting = [url for url in (stream["hls"], stream["dash"], stream["poster"], stream["storyboard"], *captions) if url]
    found: list[str] = []
    while waiting:
        url = str(httpx.URL(site.url).join(waiting.pop()))
        if url in found:
            continue
        found.append(url)
        answer = httpx.get(url, follow_redirects=True)
        assert answer.status_code == 200, url
        assert answer.content, url
        if url.endswith(".m3u8"):
            for line in answer.text.splitlines():
                names = re.findall(r'URI="([^"]+)"', line) if line.startswith("#") else [line]
                waiting += [str(httpx.URL(url).join(name)) for name in names if name and not name.startswith("data:")]
    return found


@pytest.mark.slow
async def test_the_whole_way(site: RunningServer, bucket_server: S3Server, alice: Api, tmp_path: Path) -> None:
    """Upload, transcode, play, captions, poster, download, another protection, another file, delete: all of it works,
    every object lies in the bucket and none on this disk, and in the end none is left."""
    source = film(tmp_path)
    video = alice.upload(source, title="In a bucket", visibility="public")
    alice.wait_until(video, "ready")
    assert not (site.data / "media").exists()
    assert any(key.startswith(f"videos/{video}/source/") for key in await stored(bucket_server))
    until(lambda: [track["language"] for track in alice.stream(video)["captions"]] == ["fr"])

    sent = {"file": ("a.vtt", VTT)}
    assert alice.post(f"/api/v1/videos/{video}/captions", files=sent, data={"language": "nl"}).status_code == 201
    until(lambda: len(alice.stream(video)["captions"]) == 2)
    assert alice.put(f"/api/v1/videos/{video}/poster", json={"candidate": 0}).status_code == 200
    files = everything(site, alice.stream(video))
    assert {Path(name).suffix for name in files} >= {".m3u8", ".mpd", ".m4s", ".mp4", ".vtt", ".jpg"}

    assert alice.patch(f"/api/v1/videos/{video}", json={"allow_download": True}).status_code == 200
    until(lambda: alice.get(f"/api/v1/videos/{video}/download").status_code == 200)
    part = alice.get(f"/api/v1/videos/{video}/download", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert alice.get(f"/api/v1/videos/{video}/source").content == source.read_bytes()

    assert alice.patch(f"/api/v1/videos/{video}", json={"protection": "cenc"}).status_code == 200
    until(lambda: alice.stream(video)["license"] is not None)
    everything(site, alice.stream(video))

    other = clips.make(tmp_path / "new.mp4", clips.Clip(seconds=2))
    alice.post(f"/api/v1/videos/{video}/source", files={"file": ("new.mp4", other.read_bytes())}).raise_for_status()
    until(lambda: (now := alice.video(video))["state"] == "ready" and now["duration"] < 2.5 and not now["replacing"])
    everything(site, alice.stream(video))

    assert alice.delete(f"/api/v1/videos/{video}").status_code == 204

    async def gone() -> bool:
        return not await stored(bucket_server)

    await waiting.until(gone)
