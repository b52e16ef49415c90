"""`streamhost backup` beside a server at work, and `streamhost restore` into a new home that plays on."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.testing import clips
from tests.support import protected
from tests.support.command import NOTHING, document, run
from tests.support.s3 import s3_server
from tests.support.server import RunningServer, until
from tests.support.tree import stored

PASSPHRASE = "a passphrase of the owner's"


@dataclass
class Site:
    """A running site with one encrypted video."""

    server: RunningServer
    video: str
    scheduled: Path

    def command(
        self, *words: str, status: int = 0, data: Path | None = None, settings: Mapping[str, str] = NOTHING
    ) -> Any:
        """What `streamhost ... --json` prints."""
        ended = run(*words, "--json", "--data", str(data or self.server.data), env=settings)
        if status == 0:
            return document(ended)
        assert ended.exit_code == status, ended.output
        return ended.output


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """It makes backups by itself: a new site its first one at once."""
    folder = tmp_path_factory.mktemp("site")
    scheduled = folder / "scheduled"
    settings = {"STREAMHOST_BACKUP_TO": str(scheduled), "STREAMHOST_LIMITS_ENABLED": "false"}
    server = RunningServer(folder / "data", **settings).start()
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    clip = clips.make(folder / "a.mp4", clips.Clip(seconds=3, width=320, height=180, gop=25))
    video = alice.upload(clip, visibility="public", title="Kept", protection="aes-128")
    alice.wait_until(video, "ready")
    yield Site(server, video, scheduled)
    server.stop()


def plays(url: str, video: str) -> None:
    """Somebody else's player fetches playlists, keys and segments, and decodes all of it."""
    stream = httpx.get(f"{url}/api/v1/stream/{video}").json()
    master = str(httpx.URL(url).join(stream["hls"]))
    command = [protected.FFMPEG, "-v", "error", "-allowed_extensions", "ALL", "-i", master, "-f", "null", "-"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_under_write_load_into_a_new_home(site: Site, tmp_path: Path) -> None:
    """Whatever is written meanwhile, the copy is one state; what was acknowledged before is in it. The new home lets
    the same people in and plays the encrypted video; without a passphrase the command says what that means."""
    plays(site.server.url, site.video)
    alice = site.server.client("alice@example.org")
    done = threading.Event()
    titles: list[str] = []

    def write() -> None:
        while not done.is_set():
            title = f"Title {len(titles)}"
            answer = alice.patch(f"/api/v1/videos/{site.video}", json={"title": title, "description": title})
            assert answer.status_code == 200
            titles.append(title)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: len(titles) >= 3)
        acknowledged = len(titles)
        made = site.command("backup", str(tmp_path / "backups"), "--media")
    finally:
        done.set()
        writer.join()
    assert (made["encrypted"], made["site"]) == (False, "streamhost")
    assert len(titles) > acknowledged, "nobody had to wait for the backup"
    home = tmp_path / "home"
    verified = site.command("restore", str(tmp_path / "backups"), "--verify", "--all", data=home)
    assert (verified["keys"] > 0, verified["media_read"]) == (True, made["media"]["objects"])
    assert not home.exists()
    site.command("restore", made["backup"], data=home)
    new = RunningServer(home).start()
    try:
        document = new.client("alice@example.org").video(site.video)
        number = int(document["title"].removeprefix("Title "))
        assert acknowledged - 1 <= number < len(titles) and document["description"] == document["title"]
        plays(new.url, site.video)
    finally:
        new.stop()


def test_one_file_under_a_passphrase(site: Site, tmp_path: Path) -> None:
    """The file is for its owner, opens with the passphrase alone, and a home with a running server is left alone."""
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSPHRASE}\n")
    file = tmp_path / "site.tar"
    made = site.command("backup", str(file), "--passphrase-file", str(secret))
    assert (made["encrypted"], made["media"], file.stat().st_mode & 0o077) == (True, None, 0)
    site.command("backup", str(file), status=1)
    assert "passphrase" in site.command("restore", str(file), "--verify", status=1, data=tmp_path / "new")
    right = {"STREAMHOST_BACKUP_PASSPHRASE": PASSPHRASE}
    assert site.command("restore", str(file), "--verify", settings=right)["users"] == 1
    site.command("restore", str(file), "--force", status=4, settings=right)


def test_the_site_makes_them_by_itself(site: Site) -> None:
    """As the settings say, by a job; `--list` shows them, the newest is taken where none is named."""
    until(lambda: site.command("restore", str(site.scheduled), "--list")["items"])
    verified = site.command("restore", "--verify", settings={"STREAMHOST_BACKUP_TO": str(site.scheduled)})
    assert verified["name"] == site.command("restore", str(site.scheduled), "--list")["items"][-1]
    assert site.scheduled.stat().st_mode & 0o077 == 0


def test_in_a_bucket(site: Site, tmp_path: Path) -> None:
    """By the address of the bucket and the keys of the settings: made, kept to the number wanted, proven, restored."""
    with s3_server() as bucket:
        settings = bucket.settings(STREAMHOST_STORAGE_BACKEND="local")
        place = "s3://media/sites/one"
        made = [site.command("backup", place, "--media", "--keep", "1", settings=settings) for _ in range(2)]
        assert site.command("restore", place, "--list", settings=settings)["items"] == [made[1]["name"]]
        home = tmp_path / "home"
        assert site.command("restore", made[1]["backup"], data=home, settings=settings)["restored"] is True
    assert stored(home) == {name for name in stored(site.server.data) if not name.startswith("health/")}
