"""Reads back what ``cmaf`` and ``protect`` wrote: a header and the samples of its segments, decrypted. Pure.

Only files of this package's own making are expected; anything else is ``DamagedPackage``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from Crypto.Cipher import AES

from streamhost.media import boxes, cenc, cmaf, h264
from streamhost.media.cenc_boxes import VISUAL_FIELDS, Information, clear_entry, read_information
from streamhost.media.errors import DamagedPackage
from streamhost.media.protect import ranges
from streamhost.model.protection import BLOCK, ContentKey, Protecting, Scheme, file_iv
from streamhost.model.streaming import INIT_SEGMENT, Kind, Rendition, Segment, segment_name

TRAK = (b"moov", b"trak")
STSD = (*TRAK, b"mdia", b"minf", b"stbl", b"stsd")
ELST = (*TRAK, b"edts", b"elst")
TRAF = (b"moof", b"traf")
PROTECTED = (b"encv", b"enca")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One segment: its samples in the clear, its number from 1, the decode time of the first sample in ticks."""

    samples: cmaf.Samples
    sequence: int
    start: int


class Unpacker:
    """Reads one rendition's files out of its folder."""

    def __init__(self, folder: Path, rendition: Rendition, opening: Protecting | None) -> None:
        """``opening`` has the keys. Raises ``DamagedPackage`` if the rendition is protected with others, or if there
        are none.
        """
        self._folder = folder
        self._rendition = rendition
        self._facts = rendition.protection
        keys = (opening.video if rendition.kind is Kind.VIDEO else opening.audio) if opening else ()
        self._keys = {key.kid: key for key in keys}
        if self._facts and not set(self._facts.kids) <= set(self._keys):
            raise DamagedPackage(f"The keys of {rendition.name} are not those it was protected with.")

    def header(self) -> cmaf.Header:
        """Return the CMAF header of the clear rendition."""
        rendition = self._rendition
        try:
            data = self._read(INIT_SEGMENT, 0)
            (stsd,) = boxes.walk(data, STSD)
            (size,) = struct.unpack_from(">I", stsd, 8)
            entry = stsd[8 : 8 + size]
            if entry[4:8] in PROTECTED:
                entry = clear_entry(entry, video=rendition.kind is Kind.VIDEO)
            edits = list(boxes.walk(data, ELST))
            delay = struct.unpack_from(">q", edits[0], 16)[0] if edits else 0
        except (ValueError, struct.error, IndexError) as why:
            raise DamagedPackage(f"The header of {rendition.name} cannot be read.") from why
        return cmaf.Header(
            entry, rendition.timescale, delay, rendition.width, rendition.height, rendition.language
        )  # fmt: skip

    def segment(self, number: int) -> Unpacked:
        """Return the segment with this number, counted from 0."""
        segment = self._rendition.segments[number]
        name = segment_name(segment.start)
        try:
            return self._unpack(self._read(name, number, segment), segment)
        except (ValueError, struct.error, IndexError) as why:
            raise DamagedPackage(f"{self._rendition.name}/{name} cannot be read.") from why

    def _read(self, name: str, number: int, segment: Segment | None = None) -> bytes:
        try:
            data = (self._folder / name).read_bytes()
        except OSError as why:
            raise DamagedPackage(f"{self._rendition.name}/{name} is missing.") from why
        facts = self._facts
        if facts is None or facts.scheme.common or (segment and facts.is_clear(segment.start)):
            return data
        key = self._keys[facts.kid(number)]
        plain = AES.new(bytes.fromhex(key.key), AES.MODE_CBC, iv=file_iv(key.kid, self._rendition.name, name))
        data = plain.decrypt(data)
        if not data or not 1 <= data[-1] <= BLOCK or data[-data[-1] :] != bytes([data[-1]]) * data[-1]:
            raise DamagedPackage(f"{self._rendition.name}/{name} does not open with its key.")
        return data[: -data[-1]]

    def _unpack(self, data: bytes, segment: Segment) -> Unpacked:
        (number,) = boxes.walk(data, (b"moof", b"mfhd"))
        (tfdt,) = boxes.walk(data, (*TRAF, b"tfdt"))
        (tfhd,) = boxes.walk(data, (*TRAF, b"tfhd"))
        (trun,) = boxes.walk(data, (*TRAF, b"trun"))
        (media,) = boxes.walk(data, (b"mdat",))
        sizes, durations, offsets, flags = cmaf.read_runs(tfhd, trun)
        if sum(sizes) != len(media):
            raise ValueError("samples and media data differ in size")
        content = bytearray(media)
        facts = self._facts
        if facts and facts.scheme.common and not facts.is_clear(segment.start):
            self._decrypt(content, sizes, list(boxes.walk(data, (*TRAF, b"senc"))))
        view, at, parts = memoryview(content), 0, []
        for size in sizes:
            parts.append(bytes(view[at : at + size]))
            at += size
        samples = cmaf.Samples(parts, durations, offsets, flags == cmaf.SYNC_FLAGS)
        return Unpacked(samples, struct.unpack_from(">I", number, 4)[0], struct.unpack_from(">Q", tfdt, 4)[0])

    def _decrypt(self, content: bytearray, sizes: list[int], sencs: list[bytes]) -> None:
        facts = self._facts
        assert facts is not None, "asked only of protected renditions"
        counts = facts.scheme is Scheme.CENC
        silent = Information(None, [()] * len(sizes))
        information = read_information(sencs[0], len(sizes), with_ivs=counts) if sencs else silent
        parts = list(ranges(sizes, information.subsamples))
        key: ContentKey = self._keys[facts.kid(0)]
        if counts:
            ivs = np.frombuffer(b"".join(information.ivs or []), ">u8").astype(np.uint64)
            cenc.ctr(content, parts, bytes.fromhex(key.key), ivs)
        else:
            video = self._rendition.kind is Kind.VIDEO
            iv = bytes.fromhex(facts.iv or "")
            cenc.cbc_decrypt(content, parts, bytes.fromhex(key.key), iv, pattern=video)


def parameter_sets(header: cmaf.Header) -> h264.ParameterSets | None:
    """Return the parameter sets of a clear video header, ``None`` where it has none."""
    extensions = header.sample_entry[8 + VISUAL_FIELDS :]
    return next((h264.parameter_sets(record) for record in boxes.walk(extensions, (b"avcC",))), None)
