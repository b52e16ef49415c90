"""High dynamic range to standard: what a PQ or HLG picture looks like on a BT.709 screen. Pure numpy, in float64.

The way of a colour: signal -> light of BT.2020 primaries in cd/m2 (BT.2100) -> ICtCp, whose intensity is compressed by
the EETF of Report ITU-R BT.2390 -> light -> BT.709 primaries (BT.2087) -> colours outside are drawn towards grey ->
signal of a BT.1886 screen. SDR white stands for 203 cd/m2, the HDR reference white of Report ITU-R BT.2408.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamhost.model.streaming import Transfer

Colours = NDArray[np.float64]
"""Any shape, the last axis red, green, blue."""

REFERENCE_WHITE = 203.0
"""cd/m2 of diffuse white in HDR (BT.2408, table 1); what SDR's full white shows."""
USUAL_PEAK = 1000.0
"""cd/m2 of the brightest light where a source does not say it: what most are mastered for, and HLG's nominal peak."""
PQ_PEAK = 10_000.0
SCREEN_GAMMA = 2.4
"""Exponent of BT.1886, annex 1, for a black of 0."""
KNEE = 0.9
"""Share of the way from grey to the gamut's border from which colours are compressed instead of kept."""

DIMMED = 0.7
"""How much of what is too bright in one primary is taken from all (1: colours keep their saturation; 0: their light)."""

# SMPTE ST 2084, 5.2 and BT.2100, table 4
M1, M2 = 2610 / 16384, 2523 / 4096 * 128
C1, C2, C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
# BT.2100, table 5
HLG_A = 0.17883277
HLG_B = 1 - 4 * HLG_A
HLG_C = 0.5 - HLG_A * np.log(4 * HLG_A)
LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
LUMA_709 = np.array([0.2126, 0.7152, 0.0722])
# BT.2100, table 7
TO_LMS = np.array([[1688, 2146, 262], [683, 2951, 462], [99, 309, 3688]]) / 4096
TO_ICTCP = np.array([[2048, 2048, 0], [6610, -13613, 7003], [17933, -17390, -543]]) / 4096
FROM_LMS, FROM_ICTCP = np.linalg.inv(TO_LMS), np.linalg.inv(TO_ICTCP)
TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""BT.2087, annex 2 (M2, rounded there to four places)."""
TINY = 1e-9


def to_sdr(signal: Colours, transfer: Transfer, peak: float | None = None) -> Colours:
    """Return the BT.709 signal, 0..1, for a PQ or HLG signal of BT.2020 primaries, 0..1.

    ``peak`` is the brightest light of the source in cd/m2; what is brighter becomes as bright as it.
    """
    light = pq_light(signal) if transfer is Transfer.PQ else hlg_light(signal)
    ictcp = pq_signal(light @ TO_LMS.T) @ TO_ICTCP.T
    before = ictcp[..., 0]
    after = compressed(before, peak or USUAL_PEAK)
    # BT.2390, 5.4.2: less or more light means less colour.
    colour = np.minimum(after / np.maximum(before, TINY), before / np.maximum(after, TINY))
    ictcp = np.stack([after, ictcp[..., 1] * colour, ictcp[..., 2] * colour], axis=-1)
    shown = pq_light(ictcp @ FROM_ICTCP.T) @ FROM_LMS.T @ TO_709.T / REFERENCE_WHITE
    return np.asarray(np.clip(in_gamut(shown), 0, 1) ** (1 / SCREEN_GAMMA))


def pq_light(signal: Colours) -> Colours:
    """Return cd/m2 for a PQ signal (ST 2084, 5.2: EOTF)."""
    root = np.clip(signal, 0, 1) ** (1 / M2)
    return np.asarray(PQ_PEAK * (np.maximum(root - C1, 0) / (C2 - C3 * root)) ** (1 / M1))


def pq_signal(light: Colours) -> Colours:
    """Return the PQ signal for cd/m2 (ST 2084, 5.3: inverse EOTF)."""
    power = (np.maximum(light, 0) / PQ_PEAK) ** M1
    return np.asarray(((C1 + C2 * power) / (1 + C3 * power)) ** M2)


def hlg_light(signal: Colours) -> Colours:
    """Return cd/m2 on a screen of 1000 cd/m2 for an HLG signal (BT.2100, table 5: inverse OETF, then OOTF)."""
    given = np.clip(signal, 0, 1)
    scene = np.where(given <= 0.5, given**2 / 3, (np.exp((given - HLG_C) / HLG_A) + HLG_B) / 12)
    luminance = scene @ LUMA_2020
    return np.asarray(USUAL_PEAK * scene * np.maximum(luminance, TINY)[..., None] ** 0.2)


def compressed(intensity: Colours, peak: float) -> Colours:
    """Return intensities (PQ) up to ``peak`` cd/m2 brought below SDR's white (BT.2390, 5.4.1: EETF, black at 0)."""
    source, target = (float(pq_signal(np.array(light))) for light in (peak, REFERENCE_WHITE))
    most = target / source
    if most >= 1:
        return np.minimum(intensity, target)
    knee = 1.5 * most - 0.5
    given = np.clip(intensity / source, 0, 1)
    t = np.maximum(given - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return np.asarray(np.where(given < knee, given, spline) * source)


def in_gamut(light: Colours) -> Colours:
    """Draw colours that BT.709 cannot show towards the grey of their luminance; those well inside stay.

    A coloured light that is too bright gives up part of its luminance first: with all of it, a red lamp would be white.
    """
    light = light * np.maximum(light.max(axis=-1, keepdims=True), 1) ** -DIMMED
    grey = np.clip(light @ LUMA_709, 0, 1)[..., None]
    away = light - grey
    room = np.where(away > 0, 1 - grey, grey)
    used = (np.abs(away) / np.maximum(room, TINY)).max(axis=-1, keepdims=True)
    kept = np.where(used > KNEE, KNEE + (1 - KNEE) * (1 - np.exp(-(used - KNEE) / (1 - KNEE))), used)
    return np.asarray(grey + away * kept / np.maximum(used, TINY))


def table(size: int, transfer: Transfer, peak: float | None = None) -> Colours:
    """Return the LUT: ``to_sdr`` of a grid of ``size`` steps a side, indexed blue, green, red; red changes fastest."""
    steps = np.linspace(0, 1, size)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return to_sdr(np.stack([red, green, blue], axis=-1), transfer, peak)
