"""High dynamic range to standard: what a PQ or HLG picture looks like on a BT.709 screen. Pure numpy, in float64.

The way of a colour: signal -> light of BT.2020 primaries in cd/m2 (BT.2100) -> BT.709 primaries (BT.2087) -> primaries
below zero are drawn inside -> the strongest primary is compressed by the EETF of Report ITU-R BT.2390, the others with
it, so that hue and saturation stay -> signal of a BT.1886 screen. SDR's white shows 203 cd/m2, the HDR reference white
of Report ITU-R BT.2408.
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
KNEE = 0.95
"""Saturation (the share of the strongest primary that another one lacks) from which colours are drawn inside; in full
they would be outside BT.709, or hard against its border."""

# SMPTE ST 2084, 5.2 and BT.2100, table 4
M1, M2 = 2610 / 16384, 2523 / 4096 * 128
C1, C2, C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
# BT.2100, table 5
HLG_A = 0.17883277
HLG_B = 1 - 4 * HLG_A
HLG_C = 0.5 - HLG_A * np.log(4 * HLG_A)
LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""BT.2087, annex 2 (M2, rounded there to four places)."""
TINY = 1e-9


def to_sdr(signal: Colours, transfer: Transfer, peak: float | None = None) -> Colours:
    """Return the BT.709 signal, 0..1, for a PQ or HLG signal of BT.2020 primaries, 0..1.

    ``peak`` is the brightest light of the source in cd/m2; what is brighter becomes as bright as it.
    """
    light = pq_light(signal) if transfer is Transfer.PQ else hlg_light(signal)
    inside = in_gamut(light @ TO_709.T)
    strongest = inside.max(axis=-1, keepdims=True)
    shown = pq_light(compressed(pq_signal(strongest), peak or USUAL_PEAK))
    return np.asarray(
        np.clip(inside * shown / np.maximum(strongest, TINY) / REFERENCE_WHITE, 0, 1) ** (1 / SCREEN_GAMMA)
    )


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


def compressed(signal: Colours, peak: float) -> Colours:
    """Return PQ signals of up to ``peak`` cd/m2 brought below SDR's white (BT.2390, 5.4.1: EETF, black at 0)."""
    source, target = (float(pq_signal(np.array(light))) for light in (peak, REFERENCE_WHITE))
    most = target / source
    if most >= 1:
        return np.minimum(signal, target)
    knee = 1.5 * most - 0.5
    given = np.clip(signal / source, 0, 1)
    t = np.maximum(given - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return np.asarray(np.where(given < knee, given, spline) * source)


def in_gamut(light: Colours) -> Colours:
    """Make colours that BT.709 cannot show as saturated as it can; ones well inside stay as they are.

    Each primary's distance from the strongest one is compressed, as in the ACES reference gamut compression.
    """
    strongest = np.maximum(light.max(axis=-1, keepdims=True), TINY)
    distance = (strongest - light) / strongest
    beyond = np.maximum(distance - KNEE, 0) / (1 - KNEE)
    kept = np.where(distance > KNEE, KNEE + (1 - KNEE) * (1 - np.exp(-beyond)), distance)
    return np.asarray(strongest * (1 - kept))


def table(size: int, transfer: Transfer, peak: float | None = None, top: float = 1.0) -> Colours:
    """Return the LUT: ``to_sdr`` of a grid of ``size`` steps a side, indexed blue, green, red; red changes fastest.

    The steps go from a signal of 0 to one of ``top``.
    """
    steps = np.linspace(0, top, size)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return to_sdr(np.stack([red, green, blue], axis=-1), transfer, peak)
