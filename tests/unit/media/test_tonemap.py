"""High dynamic range shown on standard screens: against the standards, a second implementation, and FFmpeg's own."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.media import tonemap
from streamhost.media.errors import UnsupportedColours
from streamhost.model.streaming import Transfer
from tests.support import hdr
from tests.unit.media import workshop

BOTH = [Transfer.PQ, Transfer.HLG]
LEVEL = 1 / 219
"""One step of an 8-bit picture."""


@pytest.mark.parametrize(
    ("signal", "light"), [(0.0, 0), (0.508078, 100), (0.580689, 203), (0.751827, 1000), (1, 10_000)]
)
def test_pq_is_that_of_the_standard(signal: float, light: float) -> None:
    """Signals and light agree with the values that ST 2084 and BT.2408 print, both ways."""
    assert tonemap.pq_light(np.array([signal])) == pytest.approx(light, rel=1e-4, abs=1e-6)
    assert tonemap.pq_signal(np.array([float(light)])) == pytest.approx(signal, abs=1e-5)


@pytest.mark.parametrize(("signal", "light"), [(0, 0), (0.38, 26), (0.75, 203), (1, 1000)])
def test_hlg_is_that_of_the_standard(signal: float, light: float) -> None:
    """75 % HLG is the reference white of 203 cd/m2 on a screen of 1000 (BT.2408, table 1); 38 % is 26."""
    assert tonemap.hlg_light(np.full((1, 3), signal)) == pytest.approx(np.full((1, 3), light), rel=0.02, abs=0.01)


@given(
    st.tuples(*[st.floats(0, 1)] * 3), st.sampled_from(BOTH), st.sampled_from([150.0, 400.0, 1000.0, 4000.0, 10_000.0])
)
def test_a_second_implementation_agrees(signal: tuple[float, float, float], transfer: Transfer, peak: float) -> None:
    """Pixel by pixel, arrays or single numbers, matrices or written-out inverses: the same colour."""
    ours = tonemap.to_sdr(np.array(signal), transfer, peak)
    assert ours == pytest.approx(hdr.reference_pixel(signal, transfer, peak), abs=LEVEL / 4)


@given(st.floats(250, 10_000))
def test_greys_stay_grey_and_in_order(peak: float) -> None:
    """From black to the source's peak: no colour, never darker where it was brighter, white exactly at the peak."""
    light = np.geomspace(0.01, peak, 60)
    shown = tonemap.to_sdr(tonemap.pq_signal(np.repeat(light[:, None], 3, axis=1)), Transfer.PQ, peak)
    assert np.ptp(shown, axis=1).max() < LEVEL / 4
    assert (np.diff(shown[:, 1]) >= -1e-9).all()
    assert shown[-1] == pytest.approx([1, 1, 1], abs=LEVEL / 4)


def test_dark_and_middle_tones_are_not_touched() -> None:
    """What is darker than the knee of the curve, most of a film, is as bright in SDR as it was in HDR."""
    light = np.array([0.5, 5.0, 20.0, 60.0])
    shown = tonemap.to_sdr(tonemap.pq_signal(np.repeat(light[:, None], 3, axis=1)), Transfer.PQ)
    assert shown[:, 1] ** 2.4 * 203 == pytest.approx(light, rel=2e-3)


def test_a_darker_source_is_compressed_less() -> None:
    """Metadata count: the same signal is brighter where the source has nothing brighter to keep room for."""
    signal = tonemap.pq_signal(np.full(3, 180.0))
    brightness = [float(tonemap.to_sdr(signal, Transfer.PQ, peak)[1]) for peak in (203, 400, 1000, 4000)]
    assert brightness == sorted(brightness, reverse=True)
    assert brightness[0] == pytest.approx((180 / 203) ** (1 / 2.4), abs=1e-3)


@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("transfer", BOTH)
def test_a_file_comes_out_as_the_reference_says(transfer: Transfer, full_range: bool, tmp_path: Path) -> None:
    """From the file to the decoded rendition, through table, filters and encoder: close to exact arithmetic."""
    signal = hdr.signal_of(hdr.scene(), transfer)
    source = hdr.write(tmp_path / "hdr.mkv", signal, transfer, full_range=full_range)
    sharp = workshop.rung_of(source, crf=1)
    package = workshop.package(source, tmp_path / "package", encode=True, rungs=(sharp,))
    assert package.info.video is not None
    assert package.info.video.transfer is transfer
    picture = workshop.first_pictures(workshop.whole(package, sharp.name))[0]
    assert (picture.colorspace, picture.color_trc, picture.color_primaries, picture.color_range) == (1, 1, 1, 1)
    difference = np.abs(hdr.shown(picture) - tonemap.to_sdr(signal, transfer)) / LEVEL
    print(
        [
            round(float(x), 2)
            for x in (
                difference.mean(),
                difference[320:350, 40:600].mean(),
                np.percentile(difference, 95),
                difference[:240].mean(),
            )
        ]
    )
    wedge = difference[320:350, 40:600]
    assert wedge.mean() < 0.7
    assert difference.mean() < 1.5
    assert np.percentile(difference, 95) < 4  # colour is stored at half the size, so edges differ


@pytest.mark.parametrize(
    ("params", "peak"),
    [
        ("master-display=G(0,0)B(0,0)R(0,0)WP(0,0)L(40000000,50)", 4000),
        ("master-display=G(0,0)B(0,0)R(0,0)WP(0,0)L(40000000,50):max-cll=1200,300", 1200),
        ("max-cll=7,2", None),
        ("", None),
    ],
    ids=["mastering", "content", "absurd", "nothing"],
)
def test_the_source_says_how_bright_it_is(params: str, peak: float | None, tmp_path: Path) -> None:
    """The brightest light of the content counts, else that of the screen it was made on; nonsense never does."""
    source = hdr.write(tmp_path / "a.mp4", np.full((64, 64, 3), 0.5), Transfer.PQ, params=params)
    video = workshop.probe(source).video
    assert video is not None
    assert video.peak == peak


def test_dolby_vision_alone_is_refused_in_words(tmp_path: Path) -> None:
    """Profile 5 says of its colours only that a licensed decoder knows them; with HDR10 beneath it is HDR10."""
    plain = hdr.write(tmp_path / "pq.mkv", np.full((64, 64, 3), 0.5), Transfer.PQ)
    untold = hdr.write(tmp_path / "untold.mkv", np.full((64, 64, 3), 0.5), None)
    video = workshop.probe(hdr.with_dolby_vision(plain, tmp_path / "profile8.mp4")).video
    assert video is not None
    assert video.transfer is Transfer.PQ
    assert workshop.probe(untold).video is not None
    with pytest.raises(UnsupportedColours, match="profile 5"):
        workshop.probe(hdr.with_dolby_vision(untold, tmp_path / "profile5.mp4"))


@pytest.mark.parametrize("transfer", BOTH)
def test_ffmpegs_own_chain_sees_the_same_picture(transfer: Transfer, tmp_path: Path) -> None:
    """zscale and `tonemap`, with a curve of their own: another taste, but the same picture, and ours keeps more of what
    is brighter than white.
    """
    signal = hdr.signal_of(hdr.scene(), transfer)
    source = hdr.write(tmp_path / "hdr.mkv", signal, transfer)
    ours = tonemap.to_sdr(signal, transfer)
    mobius, clipped = (hdr.by_ffmpeg(imageio_ffmpeg.get_ffmpeg_exe(), source, curve) for curve in ("mobius", "clip"))
    luma = [picture @ np.array([0.2126, 0.7152, 0.0722]) for picture in (ours, mobius, clipped)]
    assert np.corrcoef(luma[0].ravel(), luma[1].ravel())[0, 1] > 0.95
    # The wedge above 203 cd/m2: clipped it is one white, ours still rises.
    bright = slice(542, 630)
    assert np.ptp(luma[2][330, bright]) < 2 * LEVEL
    assert np.ptp(luma[0][330, bright]) > 10 * LEVEL
