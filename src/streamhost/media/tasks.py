"""What a media child can be asked to do, and what it answers. Plain data; importing this costs nothing.

Every task names its ``source`` and, if it writes, ``out_dir``: a directory that must exist and be the caller's alone
until the task is done. Names inside it are final (``<rendition>/init.mp4``, ``<rendition>/<time>.m4s``,
``poster.jpg``). Running a task again into the same directory writes the same names again, so a killed task is
repeated as it is.

What writes renditions encrypts them as ``protecting`` says, ``None`` for clear ones. It holds the keys: such a task
goes to its child through standard input, and is never stored or logged.

The usual order::

    Probe -> MediaInfo
    compat.video_obstacle(info, ...) is None:  CopyTracks -> Copied (playable now) -> lower rungs from Copied.plan
    else:                                      MakePlan -> Plan, EncodeAudio for each track
    EncodeChunk for every index of plan.chunks, in any order or in parallel -> Encoded
    timeline.merge(...) of the parts; hls.write / dash.write
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from streamhost.media import wire
from streamhost.media.choice import SOFTWARE
from streamhost.media.ladder import MAX_FRAME_RATE
from streamhost.model.protection import Protecting
from streamhost.model.stills import ChunkStills, Storyboard
from streamhost.model.streaming import AudioTrack, MediaInfo, Plan, Rendition, Rung, Seam


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may be. ``max_pixels`` is width times height of a picture; ``max_duration`` in seconds."""

    max_pixels: int = 8192 * 8192
    max_duration: int = 24 * 3600


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to encode and cut. Times in seconds, rates in bit/s; ``workers`` is how many chunks may run at once.

    ``preset`` is for libx264; other encoders have settings of their own (see ``encoders``).
    """

    encoder: str = SOFTWARE
    preset: str = "veryfast"
    threads: int = 1
    segment: float = 4.0
    chunk: float = 60.0
    workers: int = 2
    audio_rate: int = 128_000
    max_frame_rate: int = MAX_FRAME_RATE


@dataclass(frozen=True, slots=True)
class Probe:
    """Find out what a file is. Answers ``MediaInfo``.

    Errors: ``not_media``, ``no_tracks``, ``unsupported_codec``, ``unsupported_colours``, ``damaged_source``,
    ``picture_too_large``, ``too_long``.
    """

    source: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class CopyTracks:
    """Repackage the video track, and the audio tracks that may be copied, in one reading pass. Answers ``Copied``.

    A video that turns out not to be copyable is no error but ``Copied.obstacle``; then nothing is left in ``out_dir``.

    ``rungs`` are the lower renditions that will follow; they go into ``Copied.plan``, cut as the copied video is.
    Errors: as ``Probe``.
    """

    source: str
    out_dir: str
    info: MediaInfo
    rungs: tuple[Rung, ...] = ()
    encoding: Encoding = Encoding()
    limits: Limits = Limits()
    protecting: Protecting | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """``renditions``: what stands now. ``encode_audio``: places in ``info.audio`` still to be encoded.

    ``obstacle``: ``None``, or the sentence why the video could not be copied (then go the encoding way: ``MakePlan``).
    ``plan``: for the lower rungs (there may be none) and the stills; ``None`` if the video was not copied.
    ``warnings``: what is missing, and why sound is to be encoded.
    """

    renditions: tuple[Rendition, ...]
    encode_audio: tuple[int, ...]
    obstacle: str | None
    plan: Plan | None
    poster: str | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MakePlan:
    """Read the whole file once without decoding and lay out segments and chunks. Answers ``Plan``."""

    source: str
    info: MediaInfo
    rungs: tuple[Rung, ...]
    encoding: Encoding = Encoding()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class EncodeChunk:
    """Decode one chunk once, and encode every rung of the plan and take stills from it. Answers ``Encoded``.

    Stills go into ``stills_dir``, a directory like ``out_dir``; ``None`` takes none. A plan without rungs (a copied
    source that needs none) is decoded for them alone.

    ``poster_at`` (seconds of the presentation) asks for a poster; only the chunk that holds this time makes it.
    """

    source: str
    out_dir: str
    info: MediaInfo
    plan: Plan
    chunk: int
    poster_at: Fraction | None = None
    limits: Limits = Limits()
    stills_dir: str | None = None
    protecting: Protecting | None = None


@dataclass(frozen=True, slots=True)
class Encoded:
    """The part of each rung that a chunk made (merge them with ``timeline.merge``, and ``stills`` with
    ``stills.merge``), and what was lost on the way.
    """

    renditions: tuple[Rendition, ...]
    poster: str | None = None
    repeated: int = 0
    warnings: tuple[str, ...] = ()
    stills: ChunkStills | None = None


@dataclass(frozen=True, slots=True)
class EncodeAudio:
    """Encode one audio track, whole, into stereo AAC-LC. Answers ``Encoded`` with one rendition.

    ``name`` comes from ``ladder.audio_names``; ``until`` (seconds of the presentation) pads with silence up to the
    video's end; ``seams`` are the plan's. ``poster``: make one of the source's cover, or of what is heard.
    """

    source: str
    out_dir: str
    info: MediaInfo
    track: AudioTrack
    name: str
    until: Fraction | None = None
    encoding: Encoding = Encoding()
    limits: Limits = Limits()
    seams: tuple[Seam, ...] = ()
    protecting: Protecting | None = None
    poster: bool = False


@dataclass(frozen=True, slots=True)
class Repackage:
    """Write stored renditions anew under another protection, without encoding. Answers ``Encoded``.

    ``source`` is the folder that holds the renditions' folders as they were stored; names, times and samples stay as
    they are. ``opening`` has the keys they are under, ``None`` if they are clear. Samples go from one to the other
    without touching the disk. Errors: ``damaged_package``, ``not_protectable``.
    """

    source: str
    out_dir: str
    renditions: tuple[Rendition, ...]
    opening: Protecting | None = None
    protecting: Protecting | None = None


@dataclass(frozen=True, slots=True)
class MakePoster:
    """Decode the picture near ``at`` (seconds of the presentation) into ``poster.jpg``. Answers ``Poster``."""

    source: str
    out_dir: str
    info: MediaInfo
    at: Fraction
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Tiles:
    """A file of tiles that a chunk made (``ChunkStills``): ``count`` of them, the first being the video's ``first``."""

    path: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class MakeStoryboard:
    """Paste the tiles of all chunks into sheets and write the thumbnails track. Answers ``Storyboard``.

    ``board`` is what ``stills.layout`` says. Where there is no tile for a place, the one before it stays.
    """

    tiles: tuple[Tiles, ...]
    out_dir: str
    board: Storyboard
    duration: Fraction


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """Make a poster, ``poster.jpg``, of a picture file that somebody sent. Answers ``Poster``.

    Nothing of the file but its pixels gets into the poster. Errors: ``not_picture``, also for one with more
    pixels than ``limits`` allow.
    """

    source: str
    out_dir: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class ReadLogo:
    """Make a site's logo of a picture file that somebody sent: PNG files in the sizes of ``media.logo``, what is
    transparent left so. Answers ``LogoMade``. Errors: as ``ReadPicture``.
    """

    source: str
    out_dir: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class LogoMade:
    """Names of files inside ``out_dir``, and the size of the first, the logo itself."""

    names: tuple[str, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Poster:
    """The picture's file name inside ``out_dir``, or ``None`` when the source has no picture to show."""

    name: str | None


@dataclass(frozen=True, slots=True)
class ExtractText:
    """Read the file through and write each text subtitle track of ``info`` as a WebVTT file, ``<index>.vtt``, its times
    on the presentation's clock, mended where the file's jumps. Answers ``Extracted``. Errors: as ``Probe``.
    """

    source: str
    out_dir: str
    info: MediaInfo
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class ExtractedTrack:
    """One subtitle track as captions: the track's index, the file's name in ``out_dir``, its cues and bytes."""

    index: int
    name: str
    cues: int
    size: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """The tracks that hold captions, in the order of the source, and what was left out, in sentences."""

    tracks: tuple[ExtractedTrack, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TryEncoders:
    """Encode a few pictures with each encoder of these names, to see which work here. Answers ``EncodersTried``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EncodersTried:
    """``working``: the names that made a proper stream, in the order asked for. ``reasons``: by name, why not."""

    working: tuple[str, ...]
    reasons: dict[str, str]


JOINED = "joined.mp4"
"""Name of what ``JoinTracks`` writes."""


@dataclass(frozen=True, slots=True)
class JoinTracks:
    """Put renditions of a package into one progressive MP4, nothing encoded. Answers ``Joined``.

    ``source`` is the package's folder; ``tracks`` are the files of each rendition in order, below it; ``languages``
    theirs; ``duration`` in seconds, for the progress.
    """

    source: str
    out_dir: str
    tracks: tuple[tuple[str, ...], ...]
    languages: tuple[str | None, ...]
    duration: Fraction


@dataclass(frozen=True, slots=True)
class Joined:
    """The file's name inside ``out_dir`` and its size in bytes."""

    name: str
    size: int


Task = (
    Probe
    | CopyTracks
    | MakePlan
    | EncodeChunk
    | EncodeAudio
    | Repackage
    | MakePoster
    | ExtractText
    | TryEncoders
    | MakeStoryboard
    | ReadPicture
    | ReadLogo
    | JoinTracks
)
Answer = MediaInfo | Copied | Plan | Encoded | Poster | Extracted | EncodersTried | Storyboard | Joined | LogoMade

ANSWERS: dict[type[Task], type[Answer]] = {
    Probe: MediaInfo,
    CopyTracks: Copied,
    MakePlan: Plan,
    EncodeChunk: Encoded,
    EncodeAudio: Encoded,
    Repackage: Encoded,
    MakePoster: Poster,
    ExtractText: Extracted,
    TryEncoders: EncodersTried,
    MakeStoryboard: Storyboard,
    ReadPicture: Poster,
    ReadLogo: LogoMade,
    JoinTracks: Joined,
}
"""Which answer each task gives."""

_TASKS = {kind.__name__: kind for kind in ANSWERS}


def to_json(task: Task) -> bytes:
    """Return the task as ``{"task": name, "with": fields}``."""
    return wire.dumps({"task": type(task).__name__, "with": wire.builtins(task)})


def from_json(data: bytes | str) -> Task:
    """Read a task back. Raises ``ValueError`` for an unknown name or fields that do not fit."""
    message = wire.loads(data, dict[str, Any])
    kind = _TASKS.get(str(message.get("task")))
    if kind is None:
        raise ValueError(f"unknown media task {message.get('task')!r}")
    return wire.convert(message.get("with"), kind)


def answer_from(task: Task, result: object) -> Answer:
    """Turn the ``result`` of a child's last line into the answer of ``task``. Raises ``ValueError`` if it does not
    fit.
    """
    return wire.convert(result, ANSWERS[type(task)])
