"""Spoils small good files, in many ways, and sends each through a media child with limits: the soak's second half.

``python -m tests.support.mutants 2000 [seed]`` prints a table of outcomes and fails if any of them is none that the
server knows. Every mutant is told by its seed file and number, and can be made again: ``... 1 SEED NUMBER``.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamhost import log, sandbox
from streamhost.media.errors import MediaError, TaskFailed
from streamhost.media.run import CHILD
from streamhost.model.errors import known_errors
from streamhost.sandbox_nursery import AVAILABLE, Nursery
from streamhost.sandbox_process import Start
from streamhost.testing.clips import Clip
from tests.support.clips import cached

FRAGMENTED = (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)


def tiny(**changes: Any) -> Clip:
    """A clip of a second and of a few kilobytes, with changes."""
    return replace(Clip(seconds=1.0, width=96, height=54, gop=10), **changes)


SEEDS: dict[str, Clip] = {
    "h264.mp4": tiny(seconds=3.0),
    "fragments.mp4": tiny(container_options=FRAGMENTED),
    "front.mp4": tiny(container_options=(("movflags", "faststart"),)),
    "hevc.mp4": tiny(codec="libx265", options=(("preset", "ultrafast"), ("x265-params", "log-level=none"))),
    "pcm.mov": tiny(codec="mpeg4", audio_codec="pcm_s16le", options=()),
    "prores.mov": tiny(codec="prores_ks", pix_fmt="yuv422p10le", options=(), languages=(), b_frames=0),
    "two.mkv": tiny(languages=("eng", "deu")),
    "ffv1.mkv": tiny(codec="ffv1", audio_codec="flac", options=(), b_frames=0),
    "vp9.webm": tiny(codec="libvpx-vp9", audio_codec="libopus", options=(("cpu-used", "8"),), b_frames=0),
    "vp8.webm": tiny(codec="libvpx", audio_codec="libopus", options=(("cpu-used", "8"),), b_frames=0),
    "h264.ts": tiny(),
    "mpeg2.ts": tiny(codec="mpeg2video", audio_codec="mp2", options=()),
    "mpeg1.mpg": tiny(codec="mpeg1video", audio_codec="mp2", options=()),
    "mpeg4.avi": tiny(codec="mpeg4", audio_codec="libmp3lame", options=()),
    "mjpeg.avi": tiny(codec="mjpeg", pix_fmt="yuvj420p", audio_codec="pcm_s16le", options=(), b_frames=0),
    "flash.flv": tiny(codec="flv1", audio_codec="libmp3lame", sample_rate=44_100, options=(), b_frames=0),
    "wmv.asf": tiny(codec="wmv2", audio_codec="libmp3lame", options=(), b_frames=0),
    "song.ogg": tiny(video=False, audio_codec="libopus"),
    "song.flac": tiny(video=False, audio_codec="flac"),
    "song.mp3": tiny(video=False, audio_codec="libmp3lame"),
    "song.wav": tiny(video=False, audio_codec="pcm_s16le"),
    "song.m4a": tiny(video=False),
    "moving.gif": tiny(codec="gif", pix_fmt="rgb8", fps=Fraction(10), languages=(), options=(), b_frames=0),
}
"""Small files of many containers and codings."""
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
"""Numbers at which programs err."""
HEAD = 2048
"""Bytes at the start of a file that say what it is: half of the spoiling goes there, or to the end."""
LIMITS = sandbox.Limits(
    memory=2048 * sandbox.MIB, cpu_seconds=120, file_size=256 * sandbox.MIB, silence_seconds=90, nice=15
)
WORKERS = 2
HERE = Path(__file__).parent
"""The child finds `whole_way` here."""
KNOWN = frozenset(kind.code for kind in known_errors() if issubclass(kind, MediaError)) - {TaskFailed.code}
Dice = random.Random


def spoil(content: bytes, other: bytes, dice: Dice) -> bytes:
    """Return a spoiled copy: one to eight changes of one to three kinds; ``other`` is a file to splice with."""
    spoiled = bytearray(content)
    for change in dice.choices(CHANGES, k=dice.randint(1, 3)):
        for _ in range(dice.choice((1, 1, 2, 4, 8))):
            if spoiled:
                change(spoiled, other, dice)
    return bytes(spoiled)


def _place(data: bytearray, dice: Dice) -> int:
    side = dice.randrange(4)
    if side == 0:
        return dice.randrange(min(len(data), HEAD))
    if side == 1:
        return len(data) - 1 - dice.randrange(min(len(data), HEAD))
    return dice.randrange(len(data))


def _flip(data: bytearray, _other: bytes, dice: Dice) -> None:
    data[_place(data, dice)] ^= 1 << dice.randrange(8)


def _byte(data: bytearray, _other: bytes, dice: Dice) -> None:
    data[_place(data, dice)] = dice.randrange(256)


def _number(data: bytearray, _other: bytes, dice: Dice) -> None:
    place = _place(data, dice) & ~3
    data[place : place + 4] = struct.pack(dice.choice((">I", "<I")), dice.choice(EDGES))


def _noise(data: bytearray, _other: bytes, dice: Dice) -> None:
    place, length = _place(data, dice), dice.randint(1, 512)
    data[place : place + length] = dice.randbytes(length)


def _zeros(data: bytearray, _other: bytes, dice: Dice) -> None:
    place, length = _place(data, dice), dice.randint(1, 2048)
    data[place : place + length] = bytes(len(data[place : place + length]))


def _lose(data: bytearray, _other: bytes, dice: Dice) -> None:
    place = _place(data, dice)
    del data[place : place + dice.choice((1, 4, 188, 1000))]


def _repeat(data: bytearray, _other: bytes, dice: Dice) -> None:
    place, length = _place(data, dice), dice.choice((1, 8, 188, 2000))
    data[place:place] = data[place : place + length] * dice.choice((1, 2, 50))


def _swap(data: bytearray, _other: bytes, dice: Dice) -> None:
    length = dice.choice((4, 8, 188, 1000))
    a, b = sorted((_place(data, dice), _place(data, dice)))
    if b + length <= len(data) and a + length <= b:
        data[a : a + length], data[b : b + length] = data[b : b + length], data[a : a + length]


def _cut(data: bytearray, _other: bytes, dice: Dice) -> None:
    del data[dice.randrange(len(data)) :]


def _splice(data: bytearray, other: bytes, dice: Dice) -> None:
    place = dice.randrange(len(data))
    data[place:] = other[dice.randrange(len(other)) :]


def _resize(data: bytearray, _other: bytes, dice: Dice) -> None:
    """Another size for one of the boxes of an MP4; elsewhere just a number."""
    kinds = (b"moov", b"trak", b"mdia", b"stbl", b"stsd", b"stts", b"stsc", b"stsz", b"stco", b"ctts", b"trun", b"avcC")
    found = [place for kind in kinds if (place := data.find(kind)) >= 4]
    if not found:
        _number(data, _other, dice)
        return
    place = dice.choice(found) - 4 + dice.choice((0, 0, 12, 16, 20))
    data[place : place + 4] = struct.pack(">I", dice.choice(EDGES))


CHANGES: tuple[Callable[[bytearray, bytes, Dice], None], ...] = (
    _flip, _byte, _number, _noise, _zeros, _lose, _repeat, _swap, _cut, _splice, _resize,
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What became of the mutants."""

    outcomes: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    longest: float = 0.0

    def table(self) -> str:
        """The outcomes in a table, the most frequent first."""
        rows = [f"| {name} | {count} |" for name, count in self.outcomes.most_common()]
        return "\n".join(["| outcome | files |", "|---|---|", *rows])


def mutant(seed: int, number: int) -> tuple[str, bytes]:
    """Return the name and content of one mutant; the same for the same two numbers."""
    dice = Dice(f"{seed}/{number}")
    names = list(SEEDS)
    name, other = dice.choice(names), dice.choice(names)
    contents = [cached(SEEDS[one], Path(one).suffix).read_bytes() for one in (name, other)]
    return name, spoil(contents[0], contents[1], dice)


async def judge(seed: int, number: int, room: Path, tally: Tally, start: Start | None) -> None:
    """Send one mutant through a child and note what became of it."""
    name, content = mutant(seed, number)
    source = room / f"{number}-{name}"
    source.write_bytes(content)
    out = room / f"{number}"
    out.mkdir()
    begun = time.monotonic()
    try:
        request = {"source": str(source), "out": str(out)}
        result = await sandbox.run(
            "whole_way",
            request,
            limits=LIMITS,
            on_message=lambda _message: None,
            readable=[source, HERE],
            writable=out,
            start=start,
        )
        outcome = "plays, something lost" if result["warnings"] else "plays"
        if result["gaps"] or not result["renditions"]:
            tally.troubles.append(f"{number} {name}: a package with gaps {result}")
    except sandbox.ChildError as error:
        outcome = error.code
        if error.code not in KNOWN:
            tally.troubles.append(f"{number} {name}: {error}")
    except Exception:
        outcome = "the parent stumbled"
        tally.troubles.append(f"{number} {name}: {traceback.format_exc()}")
    tally.outcomes[outcome] += 1
    tally.longest = max(tally.longest, time.monotonic() - begun)
    source.unlink()
    shutil.rmtree(out)


async def soak(count: int, seed: int, first: int = 0) -> Tally:
    """Judge ``count`` mutants, two at a time, in children as the server starts them."""
    tally = Tally()
    nursery = Nursery([CHILD])
    numbers = iter(range(first, first + count))

    async def work(room: Path) -> None:
        for number in numbers:
            await judge(seed, number, room, tally, nursery.start if AVAILABLE else None)
            if sum(tally.outcomes.values()) % 100 == 0:
                print(sum(tally.outcomes.values()), dict(tally.outcomes), f"{tally.longest:.0f} s", flush=True)

    for name, clip in SEEDS.items():
        cached(clip, Path(name).suffix)
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.gather(*(work(Path(folder)) for _ in range(WORKERS)))
    await nursery.close()
    return tally


def main(words: list[str]) -> int:
    """Run and print; 0 only when every mutant ended in a package or in an error that is known."""
    sys.path.insert(0, str(HERE))
    log.configure("error", "console")
    count, seed, first = [*map(int, words), *(2000, 1, 0)[len(words) :]]
    tally = asyncio.run(soak(count, seed, first))
    print(tally.table())
    print(f"The longest took {tally.longest:.1f} s.")
    for trouble in tally.troubles:
        print(trouble)
    return 1 if tally.troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
