"""ISO boxes and CMAF segments, read back with a reader of their own."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from streamhost.media import boxes, cmaf


def fragment(parts: list[bytes]) -> tuple[int, list[tuple[int, int, int, int]], bytes]:
    """Return tfdt, ``(duration, size, flags, offset)`` of each sample, and the media data of a segment."""
    data = b"".join(parts)
    (tfdt,) = boxes.walk(data, (b"moof", b"traf", b"tfdt"))
    (tfhd,) = boxes.walk(data, (b"moof", b"traf", b"tfhd"))
    (trun,) = boxes.walk(data, (b"moof", b"traf", b"trun"))
    track_flags = struct.unpack(">I", tfhd[:4])[0] & 0xFFFFFF
    defaults = dict(
        zip(
            [b for b in (0x8, 0x10, 0x20) if track_flags & b],
            struct.unpack(f">{len(tfhd) // 4 - 2}I", tfhd[8:]),
            strict=True,
        )
    )
    flags, count, offset = struct.unpack(">IIi", trun[:12])
    version, flags = flags >> 24, flags & 0xFFFFFF
    place, first_flags = 12, None
    if flags & 0x4:
        first_flags, place = struct.unpack_from(">I", trun, 12)[0], 16
    rows = []
    for number in range(count):
        row = [defaults.get(0x8, 0), defaults.get(0x10, 0), defaults.get(0x20, 0), 0]
        for column, bit in enumerate((0x100, 0x200, 0x400, 0x800)):
            if flags & bit:
                row[column] = struct.unpack_from(">i" if bit == 0x800 and version else ">I", trun, place)[0]
                place += 4
        if number == 0 and first_flags is not None:
            row[2] = first_flags
        rows.append((row[0], row[1], row[2], row[3]))
    moof = data.index(b"moof") - 4
    return struct.unpack(">Q", tfdt[4:])[0], rows, data[moof + offset :]


def test_a_segment_reads_back_as_it_was_written() -> None:
    """Times, sizes, flags and bytes of every sample come back, and the data offset points at the first of them."""
    data = [b"IIIII", b"ppp", b"b", b"pp"]
    samples = cmaf.Samples.shown_at(data, np.array([0, 30, 10, 20]), np.array([True, False, False, False]), 40, 20)
    tfdt, rows, media = fragment(cmaf.segment(samples, 7, 1000))
    assert tfdt == 1000
    assert [row[:2] for row in rows] == [(10, 5), (10, 3), (10, 1), (10, 2)]
    assert [row[2] for row in rows] == [cmaf.SYNC_FLAGS] + [cmaf.DEPENDENT_FLAGS] * 3
    assert [row[3] for row in rows] == [20, 40, 10, 10]
    assert media == b"".join(data)


def test_what_all_samples_share_is_said_once() -> None:
    """Sound of one size and duration needs no row for each sample."""
    samples = cmaf.Samples.even([b"aaaa"] * 50, 1024)
    parts = cmaf.segment(samples, 1, 0)
    assert len(parts[0]) < 180
    _, rows, _ = fragment(parts)
    assert rows == [(1024, 4, cmaf.SYNC_FLAGS, 0)] * 50


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
    st.integers(0, 6000),
    st.integers(0, 10**12),
)
@example([1, 1, 1], Random(1), 0, 0)  # no tick lies between these
def test_no_sample_is_shown_before_it_is_decoded(steps: list[int], order: Random, delay: int, start: int) -> None:
    """For any order of any times: presentation is exact, and decoding never goes back. With a delay of a tick for each
    sample at least, offsets are never negative and decoding only moves forward."""
    shown = start + np.cumsum([0, *steps])
    times, end = shown[:-1].copy(), int(shown[-1])
    rest = list(times[1:])
    order.shuffle(rest)
    times[1:] = rest
    samples = cmaf.Samples.shown_at([b"x"] * len(times), times, np.zeros(len(times), bool), end + len(times), delay)
    decoded = times[0] + np.cumsum(np.concatenate(([0], samples.durations[:-1])))
    assert (decoded + samples.offsets - delay == times).all()
    assert (samples.durations >= 0).all()
    if delay >= len(times):
        assert (samples.offsets >= 0).all()
        assert (samples.durations > 0).all()
    assert samples.durations.sum() == end + len(times) - start


def test_the_header_takes_the_delay_back() -> None:
    """The edit list starts the presentation at the composition delay; without reordering there is no edit list."""
    entry = boxes.visual_sample_entry(b"avc1", 320, 180)
    header = cmaf.Header(entry, 12800, 1024, 320, 180).to_bytes()
    (elst,) = boxes.walk(header, (b"moov", b"trak", b"edts", b"elst"))
    assert struct.unpack(">IIQqhh", elst) == (1 << 24, 1, 0, 1024, 1, 0)
    assert b"elst" not in cmaf.Header(entry, 12800, 0, 320, 180).to_bytes()


def test_the_language_of_a_track_is_packed() -> None:
    """Three letters of ISO 639-2 go into the media header; anything else is undetermined."""
    assert boxes.media_header(1, "eng")[-4:-2] == struct.pack(">H", (5 << 10) | (14 << 5) | 7)
    assert boxes.media_header(1, "en-GB")[-4:-2] == boxes.media_header(1, "eng")[-4:-2]
    assert boxes.media_header(1, "x-none")[-4:-2] == boxes.media_header(1, None)[-4:-2]
