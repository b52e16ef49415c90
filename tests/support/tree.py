"""What lies in a data directory, compared with what the manifests name."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.server import until


@contextlib.contextmanager
def reading(data: Path) -> Iterator[sqlite3.Connection]:
    """The catalog, to be read beside the running server; for whoever looks again and again."""
    conn = sqlite3.connect(f"file:{data / 'catalog.sqlite3'}?mode=ro", uri=True, timeout=150)
    conn.row_factory = sqlite3.Row
    try:
        yield conn
    finally:
        conn.close()


def rows(data: Path, sql: str, *values: Any) -> list[sqlite3.Row]:
    """Rows of the catalog, read beside the running server."""
    with reading(data) as conn:
        return conn.execute(sql, values).fetchall()


def stored(data: Path, *below: str) -> set[str]:
    """Every file below the media directory, or only those of some folders in it, also hidden and temporary ones, by
    relative path."""
    root = data / "media"
    # os.walk passes over folders that vanish while it looks, as rglob does not.
    walks = (os.walk(root / folder) for folder in below or ("",))
    return {str((Path(here) / name).relative_to(root)) for walk in walks for here, _, names in walk for name in names}


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file below a folder, by relative path; what is removed meanwhile is left out."""
    found = {}
    for here, _, names in os.walk(folder):
        for path in (Path(here, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                found[str(path.relative_to(folder))] = path.stat().st_size
    return found


def named(data: Path, video_id: str) -> set[str]:
    """Every file that the video's row and its HLS playlists name: what must be stored, and nothing else."""
    [video] = rows(data, "SELECT source_key, package_id, poster_key FROM videos WHERE id = ?", video_id)
    base = f"videos/{video_id}/{video['package_id']}"
    found = {key for key in (video["source_key"], video["poster_key"]) if key}
    found |= {f"{base}/master.m3u8", f"{base}/manifest.mpd"}
    master = (data / "media" / base / "master.m3u8").read_text("utf-8")
    playlists = set(re.findall(r"^[^#\s].*$", master, re.MULTILINE)) | set(re.findall(r'URI="([^"]+)"', master))
    for playlist in playlists:
        found.add(f"{base}/{playlist}")
        folder = f"{base}/{playlist.rsplit('/', 1)[0]}"
        text = (data / "media" / base / playlist).read_text("utf-8")
        found |= {f"{folder}/{name}" for name in re.findall(r"^[^#\s].*$", text, re.MULTILINE)}
        found |= {f"{folder}/{name}" for name in re.findall(r'EXT-X-MAP:URI="([^"]+)"', text)}
    found |= _pictures(data, video_id, video["package_id"])
    return found


def _pictures(data: Path, video_id: str, package: str) -> set[str]:
    """The storyboard that the thumbnails track names, and the files in which the other stills lie."""
    base = f"videos/{video_id}/{package}"
    found: set[str] = set()
    for row in rows(data, "SELECT facts FROM stills WHERE package_id = ?", package):
        track = (data / "media" / base / "storyboard.vtt").read_text("utf-8")
        found |= {f"{base}/storyboard.vtt"} | {
            f"{base}/{name}" for name in re.findall(r"^(\S+)#xywh=", track, re.MULTILINE)
        }
        facts = json.loads(row["facts"])
        found |= {f"stills/{video_id}/{package}/{still['file']}" for still in facts["posters"] + facts["screening"]}
    return found


def at_rest(data: Path) -> None:
    """Wait until no job runs or is due: then all is done that follows from what can be seen already, such as removing
    what a video does not need any more once it is ready."""
    left = "SELECT 1 FROM jobs WHERE state = 'running' OR (state = 'queued' AND paused = 0 AND run_at <= ?) LIMIT 1"
    until(lambda: not rows(data, left, time.time()))
