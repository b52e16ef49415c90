"""Packages a clip in this process as the pipeline would, and watches the outcome with FFmpeg's own readers."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from streamhost.media import dash, hls, ladder, tasks, timeline
from streamhost.media.execute import execute
from streamhost.model.streaming import (
    INIT_SEGMENT,
    MANIFEST,
    MediaInfo,
    Plan,
    Presentation,
    Rendition,
    Rung,
    segment_name,
)
from streamhost.testing import clips

QUICK = tasks.Encoding(preset="ultrafast", segment=1.0, chunk=4.0)
"""Short segments and chunks, so that a clip of seconds has borders of every kind."""
SMALL = ladder.LadderSettings(heights=(180, 120, 90))


@dataclass(frozen=True, slots=True)
class Package:
    """What came out, and what was found on the way."""

    out: Path
    info: MediaInfo
    presentation: Presentation
    plan: Plan | None
    obstacle: str | None
    poster: str | None
    repeated: int = 0


def probe(source: Path) -> MediaInfo:
    """Return what probing says."""
    info = execute(tasks.Probe(str(source)))
    assert isinstance(info, MediaInfo)
    return info


def package(
    source: Path,
    out: Path,
    *,
    encode: bool = False,
    encoding: tasks.Encoding = QUICK,
    rungs: tuple[Rung, ...] | None = None,
) -> Package:
    """Copy what can be copied (nothing with ``encode``), encode the rest, write the manifests."""
    out.mkdir()
    info = probe(source)
    renditions: list[Rendition] = []
    plan: Plan | None = None
    poster: str | None = None
    obstacle: str | None = "asked for"
    left = tuple(range(len(info.audio)))
    if not encode:
        lower = ladder.lower_rungs(info, SMALL) if rungs is None else rungs
        copied = execute(tasks.CopyTracks(str(source), str(out), info, lower, encoding))
        assert isinstance(copied, tasks.Copied)
        renditions += copied.renditions
        plan, poster, obstacle, left = copied.plan, copied.poster, copied.obstacle, copied.encode_audio
    if obstacle is not None and info.video is not None:
        made = execute(
            tasks.MakePlan(str(source), info, ladder.ladder(info, SMALL) if rungs is None else rungs, encoding)
        )
        assert isinstance(made, Plan)
        plan = made
    names = ladder.audio_names(info.audio)
    for place in left:
        until = plan.duration if plan else None
        seams = plan.seams if plan else ()
        task = tasks.EncodeAudio(
            str(source), str(out), info, info.audio[place], names[place], until, encoding, seams=seams
        )
        sound = execute(task)
        assert isinstance(sound, tasks.Encoded)
        renditions += sound.renditions
    repeated = 0
    if plan is not None:
        parts: list[Rendition] = []
        for number in range(len(plan.chunks)):
            wanted = None if poster else Fraction(1)
            answer = execute(tasks.EncodeChunk(str(source), str(out), info, plan, number, wanted))
            assert isinstance(answer, tasks.Encoded)
            parts += answer.renditions
            poster = answer.poster or poster
            repeated += answer.repeated
        renditions += timeline.merge(parts)
    presentation = timeline.presentation(renditions)
    for name, text in hls.playlists(presentation).items():
        (out / name).write_text(text)
    (out / MANIFEST).write_text(dash.manifest(presentation))
    return Package(out, info, presentation, plan, obstacle, poster, repeated)


def rung_of(source: Path, crf: float) -> Rung:
    """Return one rung of a source's own size, without a cap that matters."""
    video = probe(source).video
    assert video is not None
    width, height = (ladder.even(side) for side in video.display_size)
    return Rung(ladder.rung_name(width, height), width, height, crf, 100_000_000, 200_000_000)


def whole(package: Package, name: str) -> Path:
    """Join a rendition's header and segments into one file, as a player's buffer would, and return it."""
    rendition = next(r for r in package.presentation.renditions if r.name == name)
    folder = package.out / name
    path = package.out / f"{name}.mp4"
    parts = [INIT_SEGMENT, *(segment_name(segment.start) for segment in rendition.segments)]
    path.write_bytes(b"".join((folder / part).read_bytes() for part in parts))
    return path


def pictures(path: Path) -> list[tuple[float, int | None]]:
    """Return ``(seconds, counter)`` of every picture that FFmpeg decodes from a file or playlist."""
    with av.open(str(path)) as container:
        return [(frame.time, clips.read_counter(frame)) for frame in container.decode(video=0)]


def first_pictures(path: Path) -> list[VideoFrame]:
    """Return the decoded pictures themselves."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def burst_times(path: Path) -> list[float]:
    """Return when each tone burst is heard, in seconds, in what FFmpeg decodes from a file or playlist."""
    blocks: list[AudioFrame] = []
    with av.open(str(path)) as container:
        blocks = list(container.decode(audio=0))
    rate = blocks[0].sample_rate
    samples = np.concatenate([block.to_ndarray()[0] for block in blocks])
    start = blocks[0].time
    assert start is not None
    return [start + burst for burst in clips.find_bursts(samples, rate)]


def video_names(package: Package) -> list[str]:
    """Names of the video renditions, best first."""
    return [rendition.name for rendition in package.presentation.video]


def output(command: list[str]) -> str:
    """Run another program and return what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=240).stdout


def raw(command: list[str]) -> bytes:
    """Run ``ffmpeg`` with these options and return the raw pictures that it writes."""
    return subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=240).stdout
