"""`streamhost transcode`: a folder that plays, without a server; interrupted and continued; refusals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import psutil
import pytest
from click.testing import Result

from streamhost.testing.clips import Clip
from tests.support.clips import cached, copied_clip
from tests.support.command import run
from tests.support.films import film
from tests.support.processes import alive
from tests.support.server import clean_environment, until

PATIENCE = 240


def slow_clip() -> Path:
    """12 seconds of MPEG-4 part 2: two chunks to encode, when a chunk is 8 seconds."""
    return cached(Clip(seconds=12.0, width=854, height=480, fps=Fraction(25), codec="mpeg4", gop=25), ".mp4")


def settings(out: Path) -> dict[str, str]:
    return {"STREAMHOST_MEDIA_CHUNK_SECONDS": "8", "STREAMHOST_DATA": str(out.parent / "no-data")}


def transcode(file: Path, out: Path, *options: str, **more: str) -> Result:
    """Run the command."""
    return run("transcode", str(file), str(out), *options, env=settings(out) | more)


def frames(manifest: Path) -> int:
    """How many pictures Debian's ffmpeg reads out of a manifest's best rendition; it may complain about nothing."""
    probe = ["ffprobe", "-v", "warning", "-count_frames", "-select_streams", "v:0", "-of", "csv=p=0"]
    done = subprocess.run(
        [*probe, "-show_entries", "stream=nb_read_frames", str(manifest)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return int(done.stdout.split()[0].strip(","))


def files(folder: Path) -> set[str]:
    """The names of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_plays(tmp_path: Path) -> None:
    """Copied at its own size with a smaller rendition beside; every picture is there in HLS and in DASH; the facts are
    printed, and nothing but the stream is left."""
    out = tmp_path / "out"
    done = transcode(copied_clip(), out, "--heights", "480,180", "--json")
    assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    made = {rendition["name"]: rendition for rendition in facts["renditions"]}
    assert set(made) == {"v480", "v180", "a-main"}
    assert made["v480"]["copied"] is True
    assert facts["duration"] == pytest.approx(24.0, abs=0.1)
    assert facts["speed"] > 0
    source = {"codec": "h264", "width": 854, "height": 480, "frame_rate": 25.0, "frame_rate_kind": "constant"}
    assert facts["source"] == source
    assert frames(out / facts["hls"]) == frames(out / facts["dash"]) == 600
    assert (out / facts["poster"]).read_bytes()[:3] == b"\xff\xd8\xff"
    assert not [name for name in files(out) if name.startswith(".")]
    assert not (tmp_path / "no-data").exists()
    assert "%" in done.stderr


def test_words_in_the_file_go_along(tmp_path: Path) -> None:
    """Text subtitles become captions of both manifests, chapters are told; what has none has none."""
    out = tmp_path / "out"
    done = transcode(film(tmp_path), out, "--heights", "180", "--json")
    assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    [caption] = facts["captions"]
    assert (caption["language"], caption["label"]) == ("fr", "Fran\u00e7ais")
    words = (out / caption["file"]).read_text("utf-8")
    assert words.startswith("WEBVTT")
    assert "<i>Bonjour</i>" in words
    folder = caption["file"].rpartition("/")[0]
    assert f'URI="{folder}/index.m3u8"' in (out / facts["hls"]).read_text()
    assert (out / folder / "index.m3u8").exists()
    assert f"<BaseURL>{caption['file']}</BaseURL>" in (out / facts["dash"]).read_text()
    assert [(mark["start"], mark["title"]) for mark in facts["chapters"]] == [(0.0, "One"), (1.0, "Two")]


def test_a_folder_with_something_in_it_is_left_alone_unless_forced(tmp_path: Path) -> None:
    """Exit code 1 and a named reason; with --force the stream is written beside what is there."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("Dear reader")
    refused = transcode(copied_clip(), out, "--heights", "180")
    assert refused.exit_code == 1
    assert "something in that folder" in refused.stderr
    assert files(out) == {"letter.txt"}
    forced = transcode(copied_clip(), out, "--heights", "180", "--force")
    assert forced.exit_code == 0, forced.stderr
    assert {"letter.txt", "master.m3u8", "manifest.mpd"} <= files(out)


def named(folder: Path) -> set[str]:
    """Every file that a stream's HLS playlists name, and what stands at its top."""
    master = (folder / "master.m3u8").read_text()
    found = {"master.m3u8", "manifest.mpd", "poster.jpg", "storyboard.vtt"}
    lists = set(re.findall(r"^[^#\s].*$", master, re.MULTILINE)) | set(re.findall(r'URI="([^"]+)"', master))
    for playlist in lists:
        text = (folder / playlist).read_text()
        names = re.findall(r"^[^#\s].*$", text, re.MULTILINE) + re.findall(r'EXT-X-MAP:URI="([^"]+)"', text)
        found |= {playlist, *(f"{playlist.rpartition('/')[0]}/{name}" for name in names)}
    sheets = re.findall(r"^(\S+)#xywh=", (folder / "storyboard.vtt").read_text(), re.MULTILINE)
    return found | set(sheets)


def test_what_an_earlier_stream_left_in_the_folder_goes_and_nothing_else(tmp_path: Path) -> None:
    """After --force nothing lies there but what the new manifests name, and every file that was never a stream's."""
    out = tmp_path / "out"
    assert transcode(copied_clip(), out, "--heights", "480,240").exit_code == 0
    (out / "captions" / "s7").mkdir(parents=True)
    (out / "captions" / "s7" / "captions.vtt").write_text("WEBVTT\n")
    foreign = {
        "letter.txt",
        "v240/notes.txt",
        "pictures/1.jpg",
        "v240/old/0.m4s",
        "video.m4s",
        "v480x/init.mp4",
        "captions/de/captions.vtt",
    }
    for name in foreign:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("Dear reader")
    (out / "v240" / "7.m4s").symlink_to(out / "letter.txt")
    before = files(out)
    forced = transcode(film(tmp_path), out, "--heights", "180", "--force")
    assert forced.exit_code == 0, forced.stderr
    assert {"v480/0.m4s", "v240/0.m4s", "captions/s7/captions.vtt"} <= before
    assert files(out) == named(out) | foreign | {"v240/7.m4s"}
    assert not (out / "v480").exists()
    assert not (out / "captions" / "s7").exists()


def test_what_is_no_media_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """Exit code 1, the reason in words, no folder."""
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"Dear film," * 1000)
    refused = transcode(text, tmp_path / "out")
    assert refused.exit_code == 1
    assert "Error:" in refused.stderr
    assert not (tmp_path / "out").exists()
    assert transcode(text, tmp_path / "out", "--heights", "many").exit_code == 2


def test_interrupted_it_ends_cleanly_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """After Ctrl-C amid encoding: exit code 130 and no process left; run again it is whole, by less work."""
    out = tmp_path / "out"
    slow = {"STREAMHOST_MEDIA_PRESET": "slower", "STREAMHOST_JOBS_MEDIA_WORKERS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamhost", "transcode", str(slow_clip()), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(**settings(out), **slow),
    )
    journal = out / ".streamhost" / "journal.json"
    deadline = time.monotonic() + PATIENCE
    while not (journal.exists() and "chunk-0" in journal.read_text() and list((out / ".streamhost").glob("chunk-*/*"))):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, told
    assert "goes on where this stopped" in told
    until(lambda: not alive(children))
    kept = json.loads(journal.read_text())
    assert kept["parts"]["plan"]["facts"] is not None
    again = transcode(slow_clip(), out, "--json", **slow)
    assert again.exit_code == 0, again.stderr
    assert frames(out / "manifest.mpd") == 300
    assert not (out / ".streamhost").exists()
