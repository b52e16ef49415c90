"""AAC as it stands in files: its configuration (ISO/IEC 14496-3, 1.6.2.1), ADTS (1.A.2.2), ``esds`` (14496-14, 5.6)."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.media import boxes

FRAME_SAMPLES = 1024
"""Samples per channel in an AAC-LC frame."""
OBJECT_LC = 2
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Sampling frequencies by index (14496-3, table 1.18)."""
CODECS_LC = "mp4a.40.2"
"""Codec string of AAC-LC (RFC 6381, 3.3)."""
ADTS_SYNC = 0xFFF0
OBJECT_TYPE_AUDIO = 0x40
STREAM_TYPE_AUDIO = 0x15


@dataclass(frozen=True, slots=True)
class Config:
    """What an AudioSpecificConfig says: object type, rate in Hz, channels, frames of 1024 samples or not."""

    object_type: int
    sample_rate: int
    channels: int
    frame_samples: int


def parse_config(data: bytes) -> Config | None:
    """Read an AudioSpecificConfig; ``None`` for escapes and layouts that only a program config element describes."""
    if len(data) < 2:
        return None
    bits = int.from_bytes(data[:2], "big")
    object_type, rate_index, channels = bits >> 11, bits >> 7 & 0xF, bits >> 3 & 0xF
    if object_type == 31 or rate_index >= len(RATES) or not 1 <= channels <= 7:
        return None
    return Config(object_type, RATES[rate_index], 8 if channels == 7 else channels, 960 if bits >> 2 & 1 else 1024)


def lc_config(sample_rate: int, channels: int) -> bytes:
    """Return the AudioSpecificConfig of AAC-LC."""
    return (OBJECT_LC << 11 | RATES.index(sample_rate) << 7 | channels << 3).to_bytes(2, "big")


def is_adts(data: bytes) -> bool:
    """Tell whether a packet starts with an ADTS header."""
    return len(data) >= 7 and int.from_bytes(data[:2], "big") & 0xFFF6 == ADTS_SYNC


def strip_adts(data: bytes) -> bytes:
    """Return the raw frame behind an ADTS header of 7 bytes, or 9 with a CRC."""
    return data[7 if data[1] & 1 else 9 :]


def adts_config(data: bytes) -> bytes:
    """Return the AudioSpecificConfig that an ADTS header stands for."""
    object_type, rate_index = (data[2] >> 6) + 1, data[2] >> 2 & 0xF
    channels = (data[2] & 1) << 2 | data[3] >> 6
    return (object_type << 11 | rate_index << 7 | channels << 3).to_bytes(2, "big")


def elementary_stream_descriptor(config: bytes, bit_rate: int) -> bytes:
    """Return the ``esds`` box; ``bit_rate`` in bit/s is informative."""
    specific = _descriptor(0x05, config)
    decoder = _descriptor(
        0x04,
        bytes((OBJECT_TYPE_AUDIO, STREAM_TYPE_AUDIO)) + bytes(3) + bit_rate.to_bytes(4, "big") * 2 + specific,
    )
    stream = _descriptor(0x03, bytes(3) + decoder + _descriptor(0x06, b"\x02"))
    return boxes.full_box(b"esds", 0, 0, stream)


def _descriptor(tag: int, content: bytes) -> bytes:
    """Return a descriptor (14496-1, 8.3.3) with its length in four groups of seven bits."""
    size = len(content)
    groups = bytes((size >> 21 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F))
    return bytes((tag,)) + groups + content
