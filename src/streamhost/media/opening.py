"""Opens untrusted files: only known containers, only the file itself, only pictures of bearable size.

A playlist or an image sequence could make FFmpeg open other files or addresses; their demuxers are not on the list.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
from av.container import InputContainer

from streamhost.media.errors import (
    DamagedSource,
    MediaError,
    NotMedia,
    OutOfSpace,
    PictureTooLarge,
    TooLong,
    UnsupportedCodec,
)
from streamhost.media.tasks import Limits

FORMATS = (
    "mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "wav", "w64",
    "mp3", "aac", "flac", "aiff", "caf", "amr", "ac3", "eac3", "dts", "mxf", "dv", "rm", "nut", "ivf", "wtv",
    "gif", "yuv4mpegpipe", "3gp", "swf", "tta", "wv", "ape", "nsv", "voc",
)  # fmt: skip
"""Demuxers that read one file and nothing else. Bare streams, which tell no times, are not among them."""
ALLOWED = {"format_whitelist": FORMATS, "protocol_whitelist": ("file",)}
INVALID_SIZE = re.compile(r"Picture size (\d+)x(\d+) is invalid")
"""What FFmpeg logs of pictures that it will not take, whatever the limits (libavutil/imgutils.c)."""
HEADER = "4096"
"""Bytes read beyond a header when nothing else is wanted of the file."""
PROBE_BYTES = 10_000_000
"""How much of a file may be read to recognise its streams."""
PROBE_MICROSECONDS = 10_000_000
"""How much of its time may be read for the same."""
WORDS: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
"""PyAV up to 18 refuses words that are not UTF-8 unless told to replace what it cannot read; 19 has no such choice."""
MAX_STREAMS = 64
"""More streams than a real file has; each costs memory and time while probing."""
ENOUGH_MEMORY = 128 * 1024**2
"""Bytes; a process that can still have this much was not out of memory, whatever FFmpeg says."""
STATUS = Path("/proc/self/status")
FIRST_BOXES = frozenset({b"ftyp", b"styp", b"mdat", b"wide", b"free", b"skip", b"moov"})
"""What an MP4 or MOV file begins with."""
MOST_BOXES = 1000
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def opened(source: str, limits: Limits, *, threads: int = 1) -> Iterator[InputContainer]:
    """Open ``source`` for reading; errors of FFmpeg inside the block come out as ``MediaError``.

    Raises ``NotMedia`` when no known container is recognised.
    """
    options = {
        **{name: ",".join(words) for name, words in ALLOWED.items()},
        "probesize": str(PROBE_BYTES),
        "analyzeduration": str(PROBE_MICROSECONDS),
        "max_streams": str(MAX_STREAMS),
        "max_pixels": str(limits.max_pixels),
    }
    with translated():
        # If the file cannot be had it is not to blame; from here on FFmpeg says so of files that are there, too.
        Path(source).open("rb").close()
        try:
            container = av.open(f"file:{Path(source).absolute()}", "r", options=options, **WORDS)
        except (av.error.FFmpegError, ValueError, EOFError) as error:
            check_memory(error)
            if lacks_index(Path(source)):
                raise DamagedSource("Its index is missing: it was not recorded or copied to its end.") from error
            raise NotMedia(_words(error)) from error
        with container:
            for stream in container.streams:
                context = stream.codec_context
                if context is not None and stream.type in ("video", "audio"):
                    context.options = {"max_pixels": str(limits.max_pixels)}
                    context.thread_count = threads
            yield container


def lacks_index(path: Path) -> bool:
    """Tell whether a file is an MP4 or MOV without its index: media data (``mdat``), but no ``moov`` or ``moof``.

    Boxes are walked at the top only (ISO/IEC 14496-12, 4.2).
    """
    kinds: set[bytes] = set()
    with path.open("rb") as file:
        for _ in range(MOST_BOXES):
            header = file.read(16)
            if len(header) < 8:
                break
            size, kind = struct.unpack_from(">I4s", header)
            kinds.add(kind)
            size = struct.unpack_from(">Q", header, 8)[0] if size == 1 and len(header) == 16 else size
            if size < 8 or (len(kinds) == 1 and kind not in FIRST_BOXES):
                break
            file.seek(size - len(header), os.SEEK_CUR)
    return b"mdat" in kinds and not kinds & {b"moov", b"moof"}


@contextmanager
def translated() -> Iterator[None]:
    """Let FFmpeg's and the disk's errors come out as ours."""
    try:
        yield
    except MediaError:
        raise
    except (av.error.DecoderNotFoundError, av.error.DemuxerNotFoundError, av.error.PatchWelcomeError) as error:
        raise UnsupportedCodec(_words(error)) from error
    except av.error.FFmpegError as error:
        check_memory(error)
        raise DamagedSource(_words(error)) from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OutOfSpace(error.strerror or "") from error
        raise


def check_memory(cause: BaseException) -> None:
    """Raise ``MemoryError`` if memory has run out: then it is not the file that is to blame for an error.

    The other way round, a damaged file may ask for more memory than there ever was; what is left then tells.
    """
    try:
        mmap.mmap(-1, ENOUGH_MEMORY).close()
    except OSError:
        raise MemoryError from cause


@contextmanager
def encoder() -> Iterator[None]:
    """Let an encoder's want of memory come out as ``MemoryError``, whatever the encoder calls it.

    x264 frees what it had before it fails, and FFmpeg 9 says no more than that an external library failed. So it is
    the most that this process ever held that tells: pictures of ours are no reason to fail.
    """
    try:
        yield
    except av.error.FFmpegError as error:
        check_memory(error)
        if was_short_of_memory():
            raise MemoryError from error
        raise


def was_short_of_memory() -> bool:
    """Whether this process was at any time close to the end of the address space it may have; Linux knows."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or not STATUS.exists():
        return False
    peak = re.search(r"^VmPeak:\s*(\d+) kB$", STATUS.read_text(), re.MULTILINE)  # proc_pid_status(5)
    return peak is not None and int(peak[1]) * 1024 > limit - ENOUGH_MEMORY


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise ``PictureTooLarge`` when a picture has more pixels than allowed."""
    if width * height > limits.max_pixels:
        raise PictureTooLarge(f"It is {width} by {height} pixels; at most {limits.max_pixels} pixels are taken.")


def check_claimed_size(source: str, limits: Limits) -> None:
    """Raise ``PictureTooLarge`` when a file's header claims such pictures.

    FFmpeg forgets sizes over its limit, and then just fails to decode; so the header is read once more without ours.
    Of sizes over its own limit (2^28 pixels) it speaks in its log alone.
    """
    options = {name: ",".join(words) for name, words in ALLOWED.items()} | {"probesize": HEADER, "analyzeduration": "0"}
    sizes: list[tuple[int, int]] = []
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with (
            av.logging.Capture() as heard,
            av.open(f"file:{Path(source).absolute()}", "r", options=options, **WORDS) as container,
        ):
            sizes += [(stream.width, stream.height) for stream in container.streams.video]
        sizes += [(int(found[1]), int(found[2])) for _, _, words in heard if (found := INVALID_SIZE.search(words))]
    except (av.error.FFmpegError, ValueError):
        return
    finally:
        av.logging.set_level(level)
    for width, height in sizes:
        check_size(width, height, limits)


def check_length(seconds: Fraction, limits: Limits) -> None:
    """Raise ``TooLong`` when a source runs longer than allowed."""
    if seconds > limits.max_duration:
        raise TooLong(f"It runs {float(seconds) / 3600:.1f} hours; at most {limits.max_duration / 3600:g} are taken.")


def _words(error: BaseException) -> str:
    """Say FFmpeg's reason without the path."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"The reader says: {reason}."
