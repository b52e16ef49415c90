"""CMAF (ISO/IEC 23000-19): the header of a track and its media segments, from samples.

Samples are kept apart until a segment is written, so that a protection scheme can change each of them first.

Composition trails decoding by a constant ``delay`` that the header's edit list takes back (23000-19, 7.5.13). So
decode times are the sorted presentation times, durations are true, and ``tfdt`` is exactly when the segment starts to
be shown. Negative offsets (brand ``cmf2``) would do without the edit, but FFmpeg shows such video late by the delay.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamhost.media import boxes

TRACK_ID = 1
SYNC_FLAGS = 0x02000000
"""Sample flags (14496-12, 8.8.3.1) of a sample that depends on no other."""
DEPENDENT_FLAGS = 0x01010000
"""Sample flags of a sample that depends on others and is no sync sample."""
STYP = boxes.segment_type(b"msdh", b"msdh", b"cmfs", b"cmff")

TFHD_DEFAULT_BASE_IS_MOOF = 0x020000
TFHD_DESCRIPTION = 0x02
TFHD_DURATION, TFHD_SIZE, TFHD_FLAGS = 0x08, 0x10, 0x20
TRUN_DATA_OFFSET, TRUN_FIRST_FLAGS, TRUN_DURATION, TRUN_SIZE, TRUN_FLAGS, TRUN_OFFSETS = (
    0x1,
    0x4,
    0x100,
    0x200,
    0x400,
    0x800,
)

Ticks = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Header:
    """What a CMAF header says: the sample entry with its codec, and how far composition trails decoding (ticks).

    ``clear_entry`` is the description of samples that are not encrypted where others are; ``pssh`` are whole boxes.
    """

    sample_entry: bytes
    timescale: int
    delay: int = 0
    width: int = 0
    height: int = 0
    language: str | None = None
    clear_entry: bytes | None = None
    pssh: bytes = b""

    def to_bytes(self) -> bytes:
        """Return ``ftyp`` and ``moov`` (23000-19, 7.3.1)."""
        video = self.width > 0
        entries = [self.sample_entry, *filter(None, [self.clear_entry])]
        media = boxes.box(
            b"mdia",
            boxes.media_header(self.timescale, self.language),
            boxes.handler(b"vide", b"VideoHandler") if video else boxes.handler(b"soun", b"SoundHandler"),
            boxes.media_information(boxes.video_header() if video else boxes.sound_header(), *entries),
        )
        track = boxes.box(
            b"trak",
            boxes.track_header(TRACK_ID, self.width, self.height, audible=not video),
            boxes.edit_list(self.delay) if self.delay else b"",
            media,
        )
        extends = boxes.track_extends(TRACK_ID)
        movie = boxes.box(b"moov", boxes.movie_header(self.timescale), track, extends, self.pssh)
        return boxes.file_type(b"cmfc", b"iso6", b"cmfc", b"dash", b"mp41") + movie


@dataclass(slots=True)
class Samples:
    """The samples of one segment in decode order. ``durations`` and ``offsets`` in ticks, ``sync`` one flag each."""

    data: list[bytes]
    durations: Ticks
    offsets: Ticks
    sync: NDArray[np.bool_]

    @classmethod
    def shown_at(cls, data: list[bytes], times: Ticks, sync: NDArray[np.bool_], end: int, delay: int) -> Samples:
        """Lay out samples shown at ``times`` (any order, all different), the last of them shown until ``end``.

        Decode times are the sorted ``times``; where ``delay`` is too short for that (long pictures among reordered
        ones), as early as needed for no picture to be shown before it is decoded, one tick apart at least if that has
        a tick for each.
        """
        ordered = np.sort(times)
        steps = np.arange(len(times))
        needed = np.minimum.accumulate((times + delay - steps)[::-1])[::-1] + steps
        decoded = np.maximum(np.minimum(ordered, needed), ordered[0])
        return cls(data, np.diff(decoded, append=end), times - decoded + delay, sync)

    @classmethod
    def even(cls, data: list[bytes], duration: int) -> Samples:
        """Samples of one duration that depend on nothing: sound."""
        count = len(data)
        return cls(data, np.full(count, duration, np.int64), np.zeros(count, np.int64), np.ones(count, np.bool_))


class SaysMore(Protocol):
    """What a protection scheme adds to a segment's description."""

    def to_boxes(self, before: int) -> bytes:
        """Return boxes to stand ``before`` bytes into the ``moof``, at the end of its ``traf``."""
        ...


def segment(
    samples: Samples, sequence: int, start: int, *, description: int = 0, more: SaysMore | None = None
) -> list[bytes]:
    """Return one media segment as parts to be written one after another: ``styp``, ``moof``, ``mdat`` and its samples.

    ``start`` is the decode time of the first sample in ticks; ``sequence`` counts segments from 1. ``description`` is
    the place of the sample entry, from 1, where it is not the first (0).
    """
    sizes = np.fromiter(map(len, samples.data), np.int64, len(samples.data))
    header, run_flags, rows = _runs(samples, sizes, description)
    fixed = 20 if run_flags & TRUN_FIRST_FLAGS else 16
    track_fragment_decode_time = boxes.full_box(b"tfdt", 1, 0, struct.pack(">Q", start))
    run_size = 4 + fixed + len(rows)
    before = 8 + 16 + 8 + len(header) + len(track_fragment_decode_time) + run_size
    added = more.to_boxes(before) if more else b""
    moof_size = before + len(added)
    first = struct.pack(">I", SYNC_FLAGS) if run_flags & TRUN_FIRST_FLAGS else b""
    run = boxes.full_box(
        b"trun", 1, run_flags, struct.pack(">Ii", len(samples.data), moof_size + 8), first, rows
    )  # fmt: skip
    moof = boxes.box(
        b"moof",
        boxes.full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)),
        boxes.box(b"traf", header, track_fragment_decode_time, run, added),
    )
    return [STYP + moof + struct.pack(">I4s", 8 + int(sizes.sum()), b"mdat"), *samples.data]


def _runs(samples: Samples, sizes: Ticks, description: int) -> tuple[bytes, int, bytes]:
    """Return ``tfhd``, the flags of ``trun`` and its rows; what all samples share goes into ``tfhd`` (8.8.7, 8.8.8)."""
    columns: list[Ticks] = []
    track_flags, run_flags = TFHD_DEFAULT_BASE_IS_MOOF | TFHD_FLAGS, TRUN_DATA_OFFSET
    defaults: list[int] = []
    if description:
        track_flags |= TFHD_DESCRIPTION
        defaults.append(description)
    for values, track_flag, run_flag in (
        (samples.durations, TFHD_DURATION, TRUN_DURATION),
        (sizes, TFHD_SIZE, TRUN_SIZE),
    ):
        if (values == values[0]).all():
            track_flags |= track_flag
            defaults.append(int(values[0]))
        else:
            run_flags |= run_flag
            columns.append(values)
    if samples.sync.all():
        defaults.append(SYNC_FLAGS)
    elif samples.sync[0] and not samples.sync[1:].any():
        defaults.append(DEPENDENT_FLAGS)
        run_flags |= TRUN_FIRST_FLAGS
    else:
        defaults.append(DEPENDENT_FLAGS)
        run_flags |= TRUN_FLAGS
        columns.append(np.where(samples.sync, SYNC_FLAGS, DEPENDENT_FLAGS))
    if samples.offsets.any():
        run_flags |= TRUN_OFFSETS
        columns.append(samples.offsets)
    header = boxes.full_box(b"tfhd", 0, track_flags, struct.pack(f">{1 + len(defaults)}I", TRACK_ID, *defaults))
    rows = np.stack(columns, axis=1).astype(">i4").tobytes() if columns else b""
    return header, run_flags, rows


def read_runs(header: bytes, run: bytes) -> tuple[list[int], Ticks, Ticks, Ticks]:
    """Read the contents of ``tfhd`` and ``trun`` as ``segment`` writes them: sizes, durations, offsets and flags."""
    track_flags, run_flags = (int.from_bytes(content[1:4], "big") for content in (header, run))
    stated = [flag for flag in (TFHD_DESCRIPTION, TFHD_DURATION, TFHD_SIZE, TFHD_FLAGS) if track_flags & flag]
    defaults = dict(zip(stated, struct.unpack_from(f">{len(stated)}I", header, 8), strict=True))
    (count,) = struct.unpack_from(">I", run, 4)
    first = TRUN_FIRST_FLAGS & run_flags
    columns = [flag for flag in (TRUN_DURATION, TRUN_SIZE, TRUN_FLAGS, TRUN_OFFSETS) if run_flags & flag]
    rows = np.frombuffer(run, ">i4", count * len(columns), 16 if first else 12).reshape(count, len(columns))
    found = {flag: rows[:, place].astype(np.int64) for place, flag in enumerate(columns)}
    durations = found.get(TRUN_DURATION, np.full(count, defaults.get(TFHD_DURATION, 0), np.int64))
    sizes = found.get(TRUN_SIZE, np.full(count, defaults.get(TFHD_SIZE, 0), np.int64))
    flags = found.get(TRUN_FLAGS, np.full(count, defaults.get(TFHD_FLAGS, 0), np.int64))
    if first:
        flags[0] = struct.unpack_from(">I", run, 12)[0]
    return sizes.tolist(), durations, found.get(TRUN_OFFSETS, np.zeros(count, np.int64)), flags
