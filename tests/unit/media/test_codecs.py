"""H.264 and AAC bitstreams: configurations, NAL units, ADTS."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamhost.media import aac, h264

SPS = bytes.fromhex("6764000dacd94141fa10000003001000000303c0f142996001")[:-1]
PPS = bytes.fromhex("68ebe3cb22c0")
nals = st.lists(
    st.binary(min_size=1, max_size=60).filter(
        lambda nal: nal[-1] != 0 and all(code not in nal for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    ),
    min_size=1,
    max_size=8,
)


@given(nals, st.sampled_from([b"\0\0\1", b"\0\0\0\1"]))
def test_a_byte_stream_splits_into_its_units(units: list[bytes], code: bytes) -> None:
    """Start codes of three or four bytes part the units of Annex B."""
    assert h264.split_annexb(b"".join(code + unit for unit in units)) == units


@given(nals)
def test_samples_with_lengths_read_back(units: list[bytes]) -> None:
    """Units joined with lengths come apart again, and a cut-off one is left out."""
    sample = h264.join_sized(units)
    assert h264.split_sized(sample, h264.LENGTH_SIZE) == units
    assert h264.split_sized(sample[:-1], h264.LENGTH_SIZE) == units[:-1]


@given(st.binary(max_size=200))
def test_any_bytes_are_bearable(data: bytes) -> None:
    """Bytes that are no H.264 or AAC at all raise nothing."""
    h264.parameter_sets(data)
    h264.split_annexb(data)
    h264.split_sized(data, 2)
    aac.parse_config(data)
    aac.is_adts(data)


def test_parameter_sets_come_from_either_form() -> None:
    """An ``avcC`` record and start codes give the same sets, whose ``avcC`` reads back."""
    stream = b"\0\0\0\1" + SPS + b"\0\0\1" + PPS
    sets = h264.parameter_sets(stream)
    assert sets == h264.ParameterSets((SPS,), (PPS,))
    record = sets.configuration()[8:]
    assert h264.is_avcc(record)
    assert h264.length_size(record) == h264.LENGTH_SIZE
    assert h264.parameter_sets(record) == sets
    assert sets.codecs == "avc1.64000D"


def test_half_a_header_is_none() -> None:
    """Without an SPS or without a PPS there is nothing to decode with."""
    assert h264.parameter_sets(b"\0\0\1" + SPS) is None
    assert h264.parameter_sets(b"") is None


def test_adts_says_its_configuration() -> None:
    """An ADTS header stands for the same configuration that a file keeps apart, and is stripped from the frame."""
    # 48 kHz stereo LC, 7-byte header without CRC, a frame of 3 bytes
    packet = bytes.fromhex("fff14c80015ffc") + b"abc"
    assert aac.is_adts(packet)
    assert aac.strip_adts(packet) == b"abc"
    assert aac.adts_config(packet) == aac.lc_config(48000, 2)
    assert aac.parse_config(aac.lc_config(44100, 1)) == aac.Config(aac.OBJECT_LC, 44100, 1, 1024)


def test_unusual_audio_is_not_understood() -> None:
    """Escaped object types and layouts in a program config element are left to the decoder."""
    assert aac.parse_config(b"\xff\xff") is None
    assert aac.parse_config(bytes.fromhex("1180")) is None
