"""From an upload to an encrypted package: every stored segment is under the package's keys, which stand nowhere."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import packages, videos
from streamhost.host import Host
from streamhost.model.accounts import Role
from streamhost.model.protection import ContentKey
from streamhost.model.streaming import INIT_SEGMENT, MANIFEST, MASTER_PLAYLIST
from streamhost.model.videos import Protection, Video, VideoState, package_prefix
from streamhost.testing import clips
from tests.support import protected
from tests.support.clips import cached
from tests.support.house import a_host
from tests.support.licensing import Site, served

COPIED = clips.Clip(seconds=6, width=320, height=180, gop=50)
PATIENCE = 240
"""Seconds; the machine may be busy with other tests."""
ENCODED = clips.Clip(seconds=6, width=320, height=180, codec="libvpx-vp9", audio_codec="libopus")


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A whole house without its door."""
    short: dict[str, Any] = {"media__preset": "ultrafast", "media__segment_seconds": 2.0, "media__heights": [120]}
    async with a_host(tmp_path / "data", **short) as host:
        yield host


async def uploaded(host: Host, source: Path, protection: Protection) -> tuple[Video, Path, tuple[ContentKey, ...]]:
    """Upload, wait until the video is ready; return it, its package's folder and its keys."""
    alice = await host.accounts.people.add(f"{protection}@example.org", "correct horse", "Alice", Role.CREATOR)

    async def body() -> AsyncIterator[bytes]:
        yield source.read_bytes()

    words = {"filename": source.name, "protection": protection.value}
    _, received = await host.uploads.receive(alice.id, body(), lambda: words)

    deadline = time.monotonic() + PATIENCE
    video = received
    while video.state not in (VideoState.READY, VideoState.FAILED):
        assert time.monotonic() < deadline, video
        await asyncio.sleep(0.05)
        async with host.db.read() as conn:
            video = await videos.get(conn, received.id) or received
    assert video.state is VideoState.READY, video.error
    assert video.package_id is not None
    async with host.db.read() as conn:
        package = await packages.get(conn, video.package_id)
    assert package is not None
    assert package.protection is protection
    master = host.storage.local_path(package_prefix(video.id, video.package_id) + MASTER_PLAYLIST)
    assert master is not None
    return video, master.parent, await host.protections.local.of(video.package_id)


def whole(folder: Path) -> Path:
    """A rendition's header and segments in one file."""
    parts = sorted(folder.glob("*.m4s"), key=lambda path: int(path.stem))
    path = folder.with_suffix(".mp4")
    path.write_bytes(b"".join(part.read_bytes() for part in [folder / INIT_SEGMENT, *parts]))
    return path


@pytest.mark.parametrize(
    ("protection", "clip"), [(Protection.CENC, COPIED), (Protection.CBCS, ENCODED)], ids=["cenc-copied", "cbcs-encoded"]
)
async def test_common_encryption(protection: Protection, clip: clips.Clip, host: Host) -> None:
    """Every rendition, copied or encoded, opens with its kind's key and with no other; both manifests say so."""
    source = cached(clip, ".webm" if clip is ENCODED else ".mp4")
    _, folder, (video_key, audio_key) = await uploaded(host, source, protection)
    assert f'value="{protection}"' in (folder / MANIFEST).read_text()
    assert video_key.kid in (folder / MASTER_PLAYLIST).read_text()
    renditions = sorted(path.parent for path in folder.glob(f"*/{INIT_SEGMENT}"))
    assert len(renditions) == 3
    for rendition in renditions:
        path = whole(rendition)
        right, wrong = (video_key, audio_key) if rendition.name.startswith("v") else (audio_key, video_key)
        assert right.kid == path.read_bytes().partition(b"tenc")[2][8:24].hex()
        assert protected.errors(path, right.key) == ""
        assert protected.errors(path, wrong.key) != ""


async def test_whole_files(host: Host) -> None:
    """Under AES-128 there is HLS alone, and FFmpeg plays every rendition by what the playlists say."""
    source = cached(COPIED, ".mp4")
    _, folder, keys = await uploaded(host, source, Protection.AES_128)
    assert not (folder / MANIFEST).exists()
    playlists = sorted(folder.glob("*/index.m3u8"))
    assert len(playlists) == 3
    with served(Site({"s": folder}, {key.kid: key.key for key in keys})) as site:
        for playlist in playlists:
            command = [protected.FFMPEG, "-v", "error", "-allowed_extensions", "ALL"]
            url = f"{site.url}/s/{playlist.parent.name}/index.m3u8"
            ended = subprocess.run([*command, "-i", url, "-f", "null", "-"], capture_output=True, text=True)
            assert ended.stderr == ""
            assert ended.returncode == 0
    assert b"moov" not in next(folder.glob(f"*/{INIT_SEGMENT}")).read_bytes()


async def test_keys_stand_nowhere(host: Host, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No key is in the catalog, in a stored file, in a file of the instance or in the log, in any spelling."""
    source = cached(COPIED, ".mp4")
    _, _, keys = await uploaded(host, source, Protection.CENC)
    await host.worker.idle()
    await host.stop(5.0)
    spellings = [form for key in keys for form in (key.key.encode(), key.key.upper().encode(), bytes.fromhex(key.key))]
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if any(form in path.read_bytes() for form in spellings)] == []
    said = "".join(capfd.readouterr())
    assert not any(key.key in said for key in keys)
