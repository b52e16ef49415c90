"""Bad input: every file ends in an error that says what is wrong, or in what could be saved of it."""

from __future__ import annotations

import random
import struct
import zipfile
from pathlib import Path

import pytest

from streamhost.media import tasks
from streamhost.media.errors import DamagedSource, MediaError, NotMedia, NoTracks, PictureTooLarge, TooLong
from streamhost.media.execute import execute
from streamhost.testing import clips
from tests.unit.media import workshop

NOISE = random.Random(1).randbytes(100_000)
CLIP = clips.Clip(seconds=3, gop=25)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Good files to spoil, by container."""
    folder = tmp_path_factory.mktemp("good")
    return {suffix: clips.make(folder / f"good.{suffix}", CLIP).read_bytes() for suffix in ("mp4", "mkv", "ts")}


def write(path: Path, content: bytes) -> Path:
    """Write and return the path."""
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"hello\n" * 1000, b"%PDF-1.7\n" * 50, NOISE, b"\0\0\0\x18ftypmp42" + bytes(16)],
    ids=["empty", "one byte", "text", "pdf", "noise", "only a file type"],
)  # fmt: skip
def test_what_is_no_media_is_refused(content: bytes, tmp_path: Path) -> None:
    """Anything else under a video's name is said not to be a video."""
    with pytest.raises(MediaError) as caught:
        workshop.probe(write(tmp_path / "video.mp4", content))
    assert caught.value.code in ("not_media", "no_tracks")
    assert caught.value.permanent
    assert caught.value.hint


def test_an_archive_is_refused(tmp_path: Path) -> None:
    """A zip file stays closed."""
    with zipfile.ZipFile(tmp_path / "video.mp4", "w") as archive:
        archive.writestr("video.mp4", b"x" * 1000)
    with pytest.raises(NotMedia):
        workshop.probe(tmp_path / "video.mp4")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{good}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{good}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile '{good}'\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
        ("list.mpd", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>'),
    ],
)
def test_a_list_of_other_files_opens_none(name: str, text: str, good: dict[str, bytes], tmp_path: Path) -> None:
    """Playlists cannot make the server read another file, or an address."""
    other = write(tmp_path / "good.mp4", good["mp4"])
    with pytest.raises(NotMedia):
        workshop.probe(write(tmp_path / name, text.format(good=other).encode()))


def test_a_name_is_never_an_address(good: dict[str, bytes], tmp_path: Path) -> None:
    """A file whose name looks like a protocol is opened as that file."""
    source = write(tmp_path / "concat:a.mp4|b.mp4", good["mp4"])
    assert workshop.probe(source).video is not None


def test_the_description_may_come_last_or_be_missing(good: dict[str, bytes], tmp_path: Path) -> None:
    """An MP4 cut before its index is no media that can be read; the error says so."""
    with pytest.raises(MediaError):
        workshop.probe(write(tmp_path / "cut.mp4", good["mp4"][: len(good["mp4"]) // 2]))


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_a_cut_off_file_plays_as_far_as_it_goes(suffix: str, good: dict[str, bytes], tmp_path: Path) -> None:
    """A download that broke off still becomes a video."""
    source = write(tmp_path / f"cut.{suffix}", good[suffix][: len(good[suffix]) * 2 // 3])
    package = workshop.package(source, tmp_path / "package")
    found = workshop.pictures(workshop.whole(package, "v180"))
    assert [number for _, number in found][:40] == list(range(40))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("seed", range(4))
def test_damage_ends_in_an_error_or_a_whole_package(
    suffix: str, seed: int, good: dict[str, bytes], tmp_path: Path
) -> None:
    """Flipped bytes anywhere: either a clear error, or renditions without a gap. Nothing else."""
    dice = random.Random(seed)
    spoiled = bytearray(good[suffix])
    for _ in range(40):
        spoiled[dice.randrange(len(spoiled))] ^= 1 << dice.randrange(8)
    source = write(tmp_path / f"bad.{suffix}", bytes(spoiled))
    try:
        package = workshop.package(source, tmp_path / "package", encode=seed % 2 == 0)
    except MediaError as error:
        assert error.permanent
        return
    assert package.presentation.renditions


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """Sixteen thousand lines are refused from the header, whatever the pictures would be."""
    source = clips.make(tmp_path / "a.mp4", clips.Clip(seconds=0.2, languages=()))
    limits = tasks.Limits(max_pixels=320 * 180 - 1)
    with pytest.raises(PictureTooLarge):
        execute(tasks.Probe(str(source), limits))
    grown = source.read_bytes().replace(struct.pack(">HH", 320, 180), struct.pack(">HH", 60000, 60000))
    with pytest.raises(MediaError):
        execute(tasks.Probe(str(write(tmp_path / "b.mp4", grown)), limits))


def test_too_long_is_refused(good: dict[str, bytes], tmp_path: Path) -> None:
    """A limit on duration is told before any work is done."""
    source = write(tmp_path / "a.mp4", good["mp4"])
    with pytest.raises(TooLong, match="at most"):
        execute(tasks.Probe(str(source), tasks.Limits(max_duration=2)))


def test_subtitles_alone_are_no_video(tmp_path: Path) -> None:
    """A container with neither picture nor sound has no track to show."""
    text = b"1\n00:00:00,000 --> 00:00:02,000\nhello\n"
    with pytest.raises((NoTracks, NotMedia)):
        workshop.probe(write(tmp_path / "a.mkv", text))


def test_a_missing_file_is_nobodys_fault(tmp_path: Path) -> None:
    """A source that is not there is not called damaged: that is the server's trouble, and may pass."""
    with pytest.raises(FileNotFoundError):
        workshop.probe(tmp_path / "gone.mp4")


def test_no_picture_can_be_decoded(good: dict[str, bytes], tmp_path: Path) -> None:
    """An intact index over destroyed pictures is a damaged source, in so many words."""
    content = bytearray(good["mp4"])
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4 if content.index(b"moov") > start else len(content)
    content[start:end] = bytes(end - start)
    with pytest.raises(DamagedSource):
        workshop.package(write(tmp_path / "a.mp4", bytes(content)), tmp_path / "package")
