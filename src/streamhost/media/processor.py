"""Tells FFmpeg what it does not know of the processor: that it is slow at gathering.

Where a processor can load from eight places by one instruction (``vpgatherdd`` of AVX2), FFmpeg scales pictures by it,
unless it knows better: of AMD's up to Zen 4 it does (libavutil/x86/cpu.c). On Zen 5 bringing 720 lines down to 480 took
4.5 million cycles a picture by gathering and 2.9 million without, the pictures being the same to the bit.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import av.logging

CPUINFO = Path("/proc/cpuinfo")
AMD = b"AuthenticAMD"
BEGINNING = 128
"""Bytes that hold the vendor; a large machine's whole file is long."""
SLOW_GATHER = 0x2000000
"""``AV_CPU_FLAG_SLOW_GATHER`` (libavutil/cpu.h)."""


def tell_ffmpeg() -> None:
    """Have all of FFmpeg in this process gather no more where that is slow: on AMD's processors."""
    if not _is_amd():
        return
    # Names are looked for in what a library depends on, too: libavutil, wherever it lies.
    library = ctypes.CDLL(av.logging.__file__)
    library.av_force_cpu_flags(library.av_get_cpu_flags() | SLOW_GATHER)


def _is_amd() -> bool:
    try:
        with CPUINFO.open("rb") as file:
            return AMD in file.read(BEGINNING)
    except OSError:
        return False
