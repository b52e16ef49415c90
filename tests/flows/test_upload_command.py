"""`streamhost videos upload`: what it says is true, and it goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result

from streamhost.testing.clips import Clip, make
from tests.support.command import run
from tests.support.server import RunningServer, clean_environment
from tests.support.slow import SlowNetwork
from tests.support.tree import rows, sizes
from tests.support.tus import content

SIZE = 24_000_000
RATE = 16_000_000
"""Bytes a second where an upload must not be over before it is interrupted."""


def command(site: RunningServer, file: Path, *options: str, token: str | None = None, url: str = "") -> list[str]:
    token = token or site.client("alice@example.org").headers["Authorization"].removeprefix("Bearer ")
    return ["videos", "upload", str(file), "--url", url or site.url, "--token", token, *options]


def upload(arguments: list[str], home: Path) -> Result:
    """Run a command to its end."""
    return run(*arguments, env={"XDG_STATE_HOME": str(home)})


def begin(arguments: list[str], home: Path) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    whole = [sys.executable, "-m", "streamhost", *arguments]
    return subprocess.Popen(whole, env=clean_environment(XDG_STATE_HOME=str(home)), stdout=subprocess.PIPE, text=True)


def until_arrives(server: RunningServer, size: int) -> None:
    """Wait until so much of a file has come."""
    deadline = time.monotonic() + 150
    while max(sizes(server.data / "uploads").values(), default=0) < size:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_file_becomes_a_video(site: RunningServer, tmp_path: Path) -> None:
    """Exit code 0, and the printed video has the title and every byte."""
    data = content(3_000_000)
    file = tmp_path / "my_clip.mp4"
    file.write_bytes(data)
    done = upload(command(site, file, "--title", "From a terminal", "--json"), tmp_path)
    assert done.exit_code == 0, done.stderr
    video = json.loads(done.stdout)
    assert video["title"] == "From a terminal"
    [row] = rows(site.data, "SELECT source_sha256, source_name FROM videos WHERE id = ?", video["id"])
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()
    assert row["source_name"] == "my_clip.mp4"


def test_waiting_until_it_plays(site: RunningServer, tmp_path: Path) -> None:
    """With --wait exit code 0 means that the video is ready, and what is printed says so."""
    file = make(tmp_path / "clip.mp4", Clip(seconds=2))
    done = upload(command(site, file, "--title", "Waited for", "--wait", "--json"), tmp_path)
    assert done.exit_code == 0, done.stderr
    video = json.loads(done.stdout)
    assert (video["title"], video["state"], video["playable"]) == ("Waited for", "ready", True)
    assert site.client("alice@example.org").stream(video["id"])["hls"]


def test_waiting_for_what_will_never_play_fails(site: RunningServer, tmp_path: Path) -> None:
    """With --wait a file that is no video ends in exit code 1 and the reason."""
    file = tmp_path / "notes.mp4"
    file.write_bytes(b"this is no video at all")
    done = upload(command(site, file, "--wait", "--json"), tmp_path)
    assert done.exit_code == 1
    assert not done.stdout
    assert "failed" in done.stderr


@pytest.mark.parametrize(
    ("options", "token", "said"),
    [(["--visibility", "everyone"], None, "visibility"), ([], "not.a.token", "token")],
)
def test_a_refusal_is_told(
    site: RunningServer, tmp_path: Path, options: list[str], token: str | None, said: str
) -> None:
    """Exit code 1, nothing on standard output, and on standard error the server's own words."""
    file = tmp_path / "a.mp4"
    file.write_bytes(b"abc")
    done = upload(command(site, file, "--json", *options, token=token), tmp_path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr


def test_calling_it_wrongly_is_exit_code_2(tmp_path: Path) -> None:
    """No such file, no address: the usage is shown."""
    done = upload(["videos", "upload", str(tmp_path / "none.mp4")], tmp_path)
    assert done.exit_code == 2
    assert "Usage" in done.stderr


def test_an_interrupted_command_goes_on(site: RunningServer, tmp_path: Path) -> None:
    """Killed in the middle and run again, it sends only what is missing, and makes one video."""
    data = content(SIZE)
    file = tmp_path / "large.mp4"
    file.write_bytes(data)
    arguments = command(site, file, "--title", "In two goes", "--json", url=SlowNetwork(site.port, RATE).url)
    first = begin(arguments, tmp_path)
    until_arrives(site, SIZE // 6)
    first.kill()
    first.communicate()
    [before] = rows(site.data, "SELECT id FROM uploads WHERE metadata LIKE '%In two goes%'")
    done = upload(arguments, tmp_path)
    assert done.exit_code == 0, done.stderr
    [after] = rows(site.data, "SELECT id, video_id FROM uploads WHERE metadata LIKE '%In two goes%'")
    assert after["id"] == before["id"]
    [row] = rows(site.data, "SELECT source_sha256 FROM videos WHERE title = 'In two goes'")
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()


def test_a_server_that_is_away_for_a_while_is_waited_for(server: RunningServer, tmp_path: Path) -> None:
    """The server is killed in the middle of the upload and started again; the command does not even end."""
    server.add_user("alice@example.org")
    data = content(SIZE)
    file = tmp_path / "large.mp4"
    file.write_bytes(data)
    arguments = command(server, file, "--title", "Patient", "--json", url=SlowNetwork(server.port, RATE).url)
    running = begin(arguments, tmp_path)
    until_arrives(server, SIZE // 6)
    server.kill()
    time.sleep(1)
    server.restart()
    output, _ = running.communicate(timeout=240)
    assert running.returncode == 0
    [row] = rows(server.data, "SELECT source_sha256 FROM videos WHERE id = ?", json.loads(output)["id"])
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()
