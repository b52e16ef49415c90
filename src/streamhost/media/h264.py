"""H.264 as it stands in files: NAL units (ITU-T H.264, 7.3.1), ``avcC`` (ISO/IEC 14496-15, 5.3.3) and codec strings."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from streamhost.media import boxes

NAL_IDR = 5
FORBIDDEN = 0x80
"""``forbidden_zero_bit`` of a NAL unit's first byte (H.264, 7.4.1)."""
NAL_SPS = 7
NAL_PPS = 8
NAL_AUD = 9
LENGTH_SIZE = 4
"""Bytes of a NAL unit's length field in every sample this package writes."""
START_CODE = re.compile(rb"\x00\x00\x01")
HIGH_PROFILES = frozenset({100, 110, 122, 144})
"""Profiles whose ``avcC`` carries chroma format and bit depths (14496-15, 5.3.3.1.2)."""
CHROMA_420 = 1


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Sequence and picture parameter sets, whole NAL units."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def codecs(self) -> str:
        """Codec string (RFC 6381, 3.3): profile, constraints and level of the first SPS."""
        return f"avc1.{self.sps[0][1:4].hex().upper()}"

    def configuration(self) -> bytes:
        """Return the ``avcC`` box for 8-bit 4:2:0 video."""
        first = self.sps[0]
        record = [struct.pack(">B3sBB", 1, first[1:4], 0xFC | LENGTH_SIZE - 1, 0xE0 | len(self.sps))]
        record += [struct.pack(">H", len(nal)) + nal for nal in self.sps]
        record.append(struct.pack(">B", len(self.pps)))
        record += [struct.pack(">H", len(nal)) + nal for nal in self.pps]
        if first[1] in HIGH_PROFILES:
            record.append(struct.pack(">BBBB", 0xFC | CHROMA_420, 0xF8, 0xF8, 0))
        return boxes.box(b"avcC", *record)


def kind_of(nal: bytes | memoryview) -> int:
    """Return ``nal_unit_type`` of a NAL unit."""
    return nal[0] & 0x1F


def is_avcc(extradata: bytes) -> bool:
    """Tell an ``avcC`` record from Annex B start codes."""
    return len(extradata) > 6 and extradata[0] == 1


def length_size(extradata: bytes) -> int:
    """Return how many bytes the length fields of an ``avcC`` source have."""
    return (extradata[4] & 3) + 1


def parameter_sets(extradata: bytes) -> ParameterSets | None:
    """Read the parameter sets out of an ``avcC`` record or Annex B bytes; ``None`` if either kind is missing."""
    nals = _avcc_record(extradata) if is_avcc(extradata) else split_annexb(extradata)
    return collect(nals)


def collect(nals: list[bytes]) -> ParameterSets | None:
    """Pick the parameter sets out of NAL units; ``None`` if there is no SPS or no PPS."""
    sps = tuple(dict.fromkeys(nal for nal in nals if kind_of(nal) == NAL_SPS and len(nal) >= 4))
    pps = tuple(dict.fromkeys(nal for nal in nals if kind_of(nal) == NAL_PPS))
    return ParameterSets(sps, pps) if sps and pps else None


def split_annexb(data: bytes) -> list[bytes]:
    """Split a byte stream (H.264, Annex B) into NAL units."""
    starts = [match.end() for match in START_CODE.finditer(data)]
    if not starts:
        return []
    ends = [start - 3 for start in starts[1:]] + [len(data)]
    nals = (data[start:end].rstrip(b"\0") for start, end in zip(starts, ends, strict=True))
    return [nal for nal in nals if nal]


def split_sized(data: bytes, size: int) -> list[bytes]:
    """Split a sample with length fields of ``size`` bytes into NAL units; stops where a length does not fit."""
    nals, offset = [], 0
    while offset + size <= len(data):
        length = int.from_bytes(data[offset : offset + size], "big")
        offset += size
        if length == 0 or offset + length > len(data):
            break
        nals.append(data[offset : offset + length])
        offset += length
    return nals


def is_whole(data: bytes, size: int) -> bool:
    """Tell whether a sample is made of NAL units from end to end; zeros and noise are not."""
    offset, end = 0, len(data)
    while offset < end:
        length = int.from_bytes(data[offset : offset + size], "big")
        offset += size + length
        if not length or offset > end or data[offset - length] & FORBIDDEN:
            return False
    return True


def join_sized(nals: list[bytes]) -> bytes:
    """Return a sample: each NAL unit after its four-byte length (14496-15, 5.3.4.2)."""
    return b"".join(part for nal in nals for part in (len(nal).to_bytes(LENGTH_SIZE, "big"), nal))


def _avcc_record(record: bytes) -> list[bytes]:
    nals: list[bytes] = []
    offset = 5
    for mask in (0x1F, 0xFF):
        if offset >= len(record):
            break
        count = record[offset] & mask
        offset += 1
        for _ in range(count):
            size = int.from_bytes(record[offset : offset + 2], "big")
            nals.append(record[offset + 2 : offset + 2 + size])
            offset += 2 + size
    return [nal for nal in nals if nal]
