"""What encryption costs: 720p packaged clear and under each scheme.

A source that players take is copied, then its lower renditions are encoded; to the whole of that encryption may add a
tenth. Copying alone is almost nothing but reading and writing, so there encryption weighs most; the peer is then Shaka
Packager, which reads the same file and encrypts by the same scheme (it has no AES-128 for fragmented MP4). All runs in
child processes, as the server does it. Counted is the processor time of the children, which a busy machine blurs less
than the clock: the least of three rounds, in which the schemes take turns. `python tests/benchmarks/bench_protection.py
[minutes]`.
"""

from __future__ import annotations

import itertools
import json
import math
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.media import ladder, tasks  # noqa: E402 -- after the path to the tests
from streamhost.model.protection import ContentKey, Protecting, Scheme  # noqa: E402 -- likewise
from streamhost.model.streaming import MediaInfo  # noqa: E402 -- likewise
from streamhost.testing import clips  # noqa: E402 -- likewise
from tests.benchmarks.making import child  # noqa: E402 -- likewise
from tests.support.protected import PACKAGER  # noqa: E402 -- likewise
from tests.unit.media.content import looped  # noqa: E402 -- likewise

OPTIONS = (("preset", "ultrafast"), ("b", "2500k"), ("maxrate", "2500k"), ("bufsize", "2500k"), ("nal-hrd", "cbr"))
"""Padded to its bit rate, so that the file is as large as one of real pictures."""
SHORT = clips.Clip(seconds=16, width=1280, height=720, fps=Fraction(25), gop=50, options=OPTIONS)
PIECE = clips.Clip(seconds=64, width=1280, height=720, fps=Fraction(25), gop=50, options=OPTIONS)
ROUNDS = 3
Least = dict[tuple[str, Scheme | None], float]
SCHEMES: tuple[Scheme | None, ...] = (None, *Scheme)


def spent() -> float:
    """Seconds of processor that ended children have taken."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def under(scheme: Scheme | None, info: MediaInfo) -> Protecting | None:
    """Fresh keys for a package of that source."""
    if scheme is None:
        return None
    video, audio = (ContentKey(*(secrets.token_hex(16) for _ in range(3))) for _ in range(2))
    names = (*(rung.name for rung in ladder.ladder(info)), *ladder.audio_names(info.audio))
    return Protecting(scheme, (video,), (audio,), names)


def copied(source: Path, out: Path, info: MediaInfo, scheme: Scheme | None) -> float:
    """Copy; return seconds of processor."""
    began = spent()
    answer = child(tasks.CopyTracks(str(source), str(out), info, protecting=under(scheme, info)), tasks.Copied)
    assert answer.obstacle is None
    return spent() - began


def packaged(source: Path, out: Path, info: MediaInfo, scheme: Scheme | None) -> float:
    """Copy, and encode the lower renditions; return seconds of processor."""
    began = spent()
    guard = under(scheme, info)
    copy = tasks.CopyTracks(str(source), str(out), info, ladder.lower_rungs(info), protecting=guard)
    plan = child(copy, tasks.Copied).plan
    assert plan is not None
    for number in range(len(plan.chunks)):
        child(tasks.EncodeChunk(str(source), str(out), info, plan, number, protecting=guard), tasks.Encoded)
    return spent() - began


def shaka(source: Path, out: Path, scheme: Scheme) -> float:
    """Shaka Packager on the same file; return seconds of processor."""
    (video, audio) = (f"in={source},stream={kind},output={out}/{kind}.mp4" for kind in ("video", "audio"))
    keys = f"label=:key_id={secrets.token_hex(16)}:key={secrets.token_hex(16)}"
    began = spent()
    options = ["--enable_raw_key_encryption", "--protection_scheme", scheme.value, "--clear_lead", "0", "--keys", keys]
    subprocess.run([PACKAGER, video, audio, *options, "--quiet"], check=True, capture_output=True)
    return spent() - began


def main() -> None:
    """Print the figures."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as folder:
        piece = clips.make(Path(folder) / "piece.mp4", PIECE)
        short = clips.make(Path(folder) / "short.mp4", SHORT)
        source = looped(piece, Path(folder) / "long.mp4", minutes * 60)
        print(f"{minutes} minutes, {source.stat().st_size / 1e6:.0f} MB")
        out = Path(folder) / "out"
        least: Least = {}

        def measure(name: str, scheme: Scheme | None, work: Callable[[], float]) -> None:
            out.mkdir()
            least[name, scheme] = min(least.get((name, scheme), math.inf), work())
            shutil.rmtree(out)

        whole, part = (child(tasks.Probe(str(file)), MediaInfo) for file in (source, short))
        for _, scheme in itertools.product(range(ROUNDS), SCHEMES):
            measure("copied", scheme, partial(copied, source, out, whole, scheme))
            measure("packaged", scheme, partial(packaged, short, out, part, scheme))
            if scheme is not None and scheme.common:
                measure("shaka", scheme, partial(shaka, source, out, scheme))
    for scheme in Scheme:
        say(f"{SHORT.seconds:.0f} s of 720p packaged under {scheme}; peer: clear", least, "packaged", scheme, None)
    for scheme in Scheme:
        peer = "shaka" if scheme.common else None
        name = "Shaka Packager" if peer else "clear"
        say(f"{minutes} minutes of 720p copied under {scheme}; peer: {name}", least, "copied", scheme, peer)
    for name in ("copied", "packaged"):
        print(f"{name}, clear: {least[name, None]:.2f} s of processor")


def say(name: str, least: Least, way: str, scheme: Scheme, peer: str | None) -> None:
    """Print one figure; beside Shaka Packager where it is the peer, else beside the same work without encryption."""
    mine, theirs = least[way, scheme], least[peer, scheme] if peer else least[way, None]
    # A program in C++ that does nothing else is a measure, not an aim.
    aim = "<= 1.10x" if way == "packaged" else None
    figure = {"name": name, "unit": "s of processor", "aim": aim}
    print(json.dumps(figure | {"ours": round(mine, 2), "peer": round(theirs, 2), "ratio": round(mine / theirs, 3)}))


if __name__ == "__main__":
    main()
